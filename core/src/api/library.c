#include "api/library.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/error.h"
#include "base/status_table.h"

static atomic_int forked;

const char *peer_version(void)
{
    return PEER_VERSION_TEXT;
}

const char *peer_last_error_message(void)
{
    return peer__last_error();
}

const char *peer_status_name(peer_status status)
{
    const struct peer__status_row *row = peer__status_row(status);
    return row != NULL ? row->name : "PEER_STATUS_UNKNOWN";
}

const char *peer_status_text(peer_status status)
{
    const struct peer__status_row *row = peer__status_row(status);
    return row != NULL ? row->text : "unknown status";
}

int peer__is_forked(void)
{
    return atomic_load_explicit(&forked, memory_order_relaxed);
}

static void on_fork_child(void)
{
    atomic_store(&forked, 1);
}

static void watch_once(void)
{
    pthread_atfork(NULL, NULL, on_fork_child);
}

void peer__watch_forks(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_once);
}

struct kept_error peer__error_keep(void)
{
    struct kept_error kept;
    snprintf(kept.line, sizeof(kept.line), "%s", peer__last_error());
    return kept;
}

peer_status peer__error_restore(const struct kept_error *kept, peer_status status)
{
    return peer__fail(status, "%s", kept->line);
}

peer_status peer__error_of_files(peer_status status)
{
    if (status != PEER_E_DATABASE_ACCESSDENIED)
        return status;
    struct kept_error kept = peer__error_keep();
    return peer__error_restore(&kept, E_ACCESSDENIED);
}
