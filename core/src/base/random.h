/** Interface: chance. The runtime's comes from OpenSSL, the simulator's from a seed. */
#ifndef PEER_BASE_RANDOM_H
#define PEER_BASE_RANDOM_H

#include "peergraph/peergraph.h"

struct random {
    /** Fills `data` with `size` random bytes. PEER_E_INTERNAL if the system has none. */
    peer_status (*fill)(void *self, void *data, size_t size);
    void *self;
};

#endif
