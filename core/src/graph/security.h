/**
 * Interface: who decides which records a graph takes (MS-PPGRH 1.3.4, 3.1.7.27; spec part 16). The application, by the
 * deferred list, or a group's rules.
 */
#ifndef PEER_GRAPH_SECURITY_H
#define PEER_GRAPH_SECURITY_H

#include "wire/record.h"

struct security {
    /**
     * A record that others sent, well-formed, and newer than what is held. `change` is PEER_RECORD_ADDED, _UPDATED or
     * _DELETED. PEER_OK: it is taken. PEER_E_INVALID_RECORD: it is dropped. PEER_E_DEFERRED_VALIDATION: it waits in the
     * deferred list until it is judged. Anything else is a failure of ours, and the record comes again.
     */
    peer_status (*validate)(void *self, const struct record *record, int32_t change);
    void *self;
};

#endif
