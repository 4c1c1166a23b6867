#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

static _Thread_local char last_error[512];

peer_status peer__fail(peer_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(last_error, sizeof(last_error), format, arguments);
    va_end(arguments);
    peer__text_to_line(last_error);
    return status;
}

peer_status peer__out_of_memory(void)
{
    return peer__fail(E_OUTOFMEMORY, "memory is out");
}

const char *peer__last_error(void)
{
    return last_error;
}
