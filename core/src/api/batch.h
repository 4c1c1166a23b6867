/** What handles need to know of batches. */
#ifndef PEER_API_BATCH_H
#define PEER_API_BATCH_H

#include "api/handle.h"

void peer__batch_free_changes(struct api_batch *batch);

#endif
