/** The last error of a thread, and how a status travels up. The deepest layer that knows the value writes the line. */
#ifndef PEER_BASE_ERROR_H
#define PEER_BASE_ERROR_H

#include "peergraph/peergraph.h"

/** Remembers one line for peer_last_error_message and returns `status`. Cut at 511 bytes; what is no
 * printable character of UTF-8 becomes '?'. */
peer_status peer__fail(peer_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** E_OUTOFMEMORY with a line of static text. */
peer_status peer__out_of_memory(void);

/** The line of this thread, never NULL. */
const char *peer__last_error(void);

/** Leaves the function with the status of `call` if that is a failure. */
#define PEER_TRY(call)                                                                                                 \
    do {                                                                                                               \
        peer_status try_status_ = (call);                                                                              \
        if (try_status_ < 0)                                                                                           \
            return try_status_;                                                                                        \
    } while (0)

#endif
