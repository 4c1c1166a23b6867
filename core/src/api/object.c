/* Ownership of objects. Needs no runtime and takes no lock; what is held can be freed in a forked child too. */
#include "event/object.h"

#include "api/handle.h"
#include "base/error.h"

void peer_free_data(const void *data)
{
    peer__object_release(data);
}

peer_status peer_retain_data(const void *data)
{
    PEER_TRY(peer__check_not_forked());
    if (peer__object_retain(data) != 0)
        return peer__fail(E_INVALIDARG, data == NULL ? "the object is NULL" : "this is no object, or it was freed");
    return PEER_OK;
}
