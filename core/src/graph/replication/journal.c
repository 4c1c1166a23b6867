/* The newest records in order of arrival. */
#include "graph/parts.h"

peer_status peer__journal_create(struct journal *journal)
{
    *journal = (struct journal){.first = 1};
    journal->entries = peer__calloc(JOURNAL_ENTRIES, sizeof(*journal->entries));
    return journal->entries != NULL ? PEER_OK : peer__out_of_memory();
}

static struct journal_entry *entry_of(const struct journal *journal, uint64_t seq)
{
    return &journal->entries[seq % JOURNAL_ENTRIES];
}

static void drop_first(struct journal *journal)
{
    struct journal_entry *entry = entry_of(journal, journal->first++);
    journal->bytes -= entry->record->wire_size;
    peer__record_release(entry->record);
    entry->record = NULL;
}

static int is_empty(const struct journal *journal)
{
    return journal->last < journal->first;
}

void peer__journal_append(struct journal *journal, uint64_t seq, struct record *record, uint64_t source)
{
    if (seq != journal->last + 1) { /* a gap: what lies before it is read from the store */
        while (!is_empty(journal))
            drop_first(journal);
        journal->first = seq;
    }
    while (!is_empty(journal) &&
           (seq - journal->first >= JOURNAL_ENTRIES || journal->bytes + record->wire_size > JOURNAL_BYTES_MAX))
        drop_first(journal);
    *entry_of(journal, seq) = (struct journal_entry){.source = source, .record = peer__record_retain(record)};
    journal->bytes += record->wire_size;
    journal->last = seq;
}

const struct journal_entry *peer__journal_find(const struct journal *journal, uint64_t seq)
{
    return seq >= journal->first && seq <= journal->last ? entry_of(journal, seq) : NULL;
}

void peer__journal_free(struct journal *journal)
{
    while (journal->entries != NULL && !is_empty(journal))
        drop_first(journal);
    peer__free(journal->entries);
    journal->entries = NULL;
}
