/** A directory of the test's own below /tmp, for databases; it goes with all that is in it. */
#ifndef TESTS_UNIT_DIRECTORY_H
#define TESTS_UNIT_DIRECTORY_H

#include <stdio.h>
#include <stdlib.h>

static char directory[64] = "/tmp/peergraph-test-XXXXXX";

static inline int make_directory(void **state)
{
    (void)state;
    return mkdtemp(directory) != NULL ? 0 : -1;
}

static inline int remove_directory(void **state)
{
    char command[96];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    return system(command);
}

#endif
