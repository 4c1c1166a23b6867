#include "event/view.h"

#include <stdint.h>
#include <string.h>

#include "base/error.h"

peer_status peer__view_check_size(size_t view_size, size_t first_size)
{
    if (view_size < first_size || view_size > STRUCT_SIZE_MAX || view_size % sizeof(void *) != 0)
        return peer__fail(E_INVALIDARG, "view_size %zu is not the size of the view, which is %zu or more", view_size,
                          first_size);
    return PEER_OK;
}

void peer__view_copy(void *view_out, size_t view_size, const void *view, size_t size)
{
    uint32_t struct_size = (uint32_t)view_size;
    memset(view_out, 0, view_size);
    memcpy(view_out, view, size < view_size ? size : view_size);
    memcpy(view_out, &struct_size, sizeof(struct_size));
}
