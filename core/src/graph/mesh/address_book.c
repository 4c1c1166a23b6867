#include "graph/mesh/address_book.h"

#include "base/error.h"
#include "base/time.h"

#include <string.h>

#define SETTING "address_book"
#define BOOK_VERSION 2u
#define ENTRY_SIZE 31u
#define FORGET_AFTER (INT64_C(30) * 86400 * (int64_t)TICKS_PER_SECOND)
/** A saved moment may be so old before it is written again: a restart must not cost a node, nor a reconnect a write. */
#define SAVE_AFTER (INT64_C(3600) * (int64_t)TICKS_PER_SECOND)

static struct book_entry *find(struct address_book *book, const struct address *address)
{
    for (size_t i = 0; i < book->count; i++) {
        if (peer__address_equal(&book->entries[i].address, address))
            return &book->entries[i];
    }
    return NULL;
}

static void forget(struct address_book *book, size_t index)
{
    book->entries[index] = book->entries[--book->count];
}

void peer__address_book_forget_old(struct address_book *book, uint64_t now)
{
    for (size_t i = book->count; i-- > 0;) {
        struct book_entry *entry = &book->entries[i];
        if (entry->met > now)
            entry->met = entry->saved = now;
        if (now - entry->met > (uint64_t)FORGET_AFTER)
            forget(book, i);
    }
}

/* ------------------------------------------------------------------------------------------------------------ places */

/* Of those that are proved or only claimed; `host` NULL: of any. The number of entries if there is none. */
static size_t oldest(const struct address_book *book, int proved, const struct address *host, size_t *count_out)
{
    size_t oldest = book->count;
    *count_out = 0;
    for (size_t i = 0; i < book->count; i++) {
        const struct book_entry *entry = &book->entries[i];
        if (entry->proved != proved || (host != NULL && !peer__address_is_same_host(&entry->address, host)))
            continue;
        ++*count_out;
        if (oldest == book->count || entry->met < book->entries[oldest].met)
            oldest = i;
    }
    return oldest;
}

/* 0: there is no place for what anyone may claim. */
static int make_place(struct address_book *book, const struct address *address, int proved)
{
    size_t of_host;
    size_t claimed;
    size_t count;
    size_t oldest_of_host = oldest(book, 0, address, &of_host);
    size_t oldest_claimed = oldest(book, 0, NULL, &claimed);
    int is_full = book->count == ADDRESS_BOOK_MAX;
    if (!proved && of_host >= ADDRESS_BOOK_CLAIMED_PER_HOST_MAX)
        forget(book, oldest_of_host);
    else if ((!proved && claimed >= ADDRESS_BOOK_CLAIMED_MAX) || (is_full && claimed > 0))
        forget(book, oldest_claimed);
    else if (is_full && proved)
        forget(book, oldest(book, 1, NULL, &count));
    return book->count < ADDRESS_BOOK_MAX;
}

void peer__address_book_met(struct address_book *book, const struct address *address, int proved, uint64_t now)
{
    struct book_entry *entry = find(book, address);
    if (entry == NULL) {
        if (!make_place(book, address, proved))
            return;
        entry = &book->entries[book->count++];
        *entry = (struct book_entry){.address = *address};
    }
    int is_news = entry->saved == 0 || entry->proved < proved || entry->saved > now;
    entry->failures = 0;
    entry->met = now;
    entry->proved |= proved;
    if (is_news || now - entry->saved > (uint64_t)SAVE_AFTER) {
        entry->saved = now;
        book->unsaved = 1;
    }
}

void peer__address_book_failed(struct address_book *book, const struct address *address)
{
    struct book_entry *entry = find(book, address);
    if (entry != NULL && entry->failures < UINT32_MAX)
        entry->failures++;
}

void peer__address_book_forget(struct address_book *book, const struct address *address)
{
    struct book_entry *entry = find(book, address);
    if (entry != NULL)
        forget(book, (size_t)(entry - book->entries));
}

peer_status peer__address_book_save(const struct address_book *book, struct store *store)
{
    struct buffer value = {0};
    peer__buffer_u8(&value, BOOK_VERSION);
    for (size_t i = 0; i < book->count; i++) {
        const struct book_entry *entry = &book->entries[i];
        peer__buffer_append(&value, entry->address.ip, sizeof(entry->address.ip));
        peer__buffer_u32(&value, entry->address.scope_id);
        peer__buffer_u16(&value, entry->address.port);
        peer__buffer_u64(&value, entry->met);
        peer__buffer_u8(&value, (uint8_t)entry->proved);
    }
    peer_status status = value.failed ? peer__out_of_memory() : PEER_OK;
    if (status >= 0)
        status = store->operations->setting_put(store, SETTING, (struct span){value.data, value.size});
    peer__buffer_free(&value);
    return status;
}

static void read_entries(struct address_book *book, struct span value)
{
    struct reader reader = peer__reader(value);
    if (peer__read_u8(&reader) != BOOK_VERSION)
        return;
    while (peer__read_left(&reader) >= ENTRY_SIZE && book->count < ADDRESS_BOOK_MAX) {
        struct book_entry *entry = &book->entries[book->count++];
        *entry = (struct book_entry){0};
        memcpy(entry->address.ip, peer__read_span(&reader, sizeof(entry->address.ip)).data, sizeof(entry->address.ip));
        entry->address.scope_id = peer__read_u32(&reader);
        entry->address.port = peer__read_u16(&reader);
        entry->met = entry->saved = peer__read_u64(&reader);
        entry->proved = peer__read_u8(&reader) != 0;
    }
}

peer_status peer__address_book_load(struct address_book *book, struct store *store)
{
    struct buffer value = {0};
    book->count = 0;
    book->unsaved = 0;
    peer_status status = store->operations->setting_get(store, SETTING, &value);
    if (status >= 0)
        read_entries(book, (struct span){value.data, value.size});
    peer__buffer_free(&value);
    return status == PEER_E_NOT_FOUND ? PEER_OK : status;
}
