/** The data directory. */
#ifndef PEER_RUNTIME_DIRECTORY_H
#define PEER_RUNTIME_DIRECTORY_H

#include "peergraph/peergraph.h"

/** Makes the directory and its parents, each with mode 0700, if they are missing. E_ACCESSDENIED naming the path. */
peer_status peer__directory_make(const char *path);

#endif
