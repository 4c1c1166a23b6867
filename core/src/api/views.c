#include "api/views.h"

#include <stddef.h>
#include <string.h>

#include "api/handle.h"
#include "api/input.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/time.h"
#include "event/object.h"
#include "event/view.h"
#include "wire/limits.h"

/* Texts on their way from the wire into the one block of an object. */
#define TEXTS_MAX 4u
struct texts {
    char *copies[TEXTS_MAX];
    size_t count;
    size_t size;
    int failed;
};

/* An empty span is no text: NULL in the view. */
static void add_text(struct texts *texts, struct span utf16)
{
    char *copy = NULL;
    if (utf16.size > 0) {
        copy = peer__utf8_from_utf16(utf16);
        if (copy == NULL)
            texts->failed = 1;
        else
            texts->size += strlen(copy) + 1;
    }
    texts->copies[texts->count++] = copy;
}

/* Moves the next text to `*end`, or gives NULL. */
static const char *place_text(struct texts *texts, size_t index, char **end)
{
    const char *copy = texts->copies[index];
    if (copy == NULL)
        return NULL;
    size_t size = strlen(copy) + 1;
    char *text = memcpy(*end, copy, size);
    *end += size;
    return text;
}

static void free_texts(struct texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        peer__free(texts->copies[i]);
}

static void *create_with_texts(struct texts *texts, size_t size, uint32_t kind, void (*destroy)(void *data))
{
    return texts->failed ? NULL : peer__object_create(size + texts->size, kind, destroy);
}

/* The view of `size` bytes stands at `offset` in an object, if it is one of that kind. */
static peer_status get_view(const void *object, uint32_t kind, size_t offset, size_t size, size_t view_size,
                            void *view_out)
{
    PEER_TRY(peer__check_not_forked());
    PEER_TRY(peer__object_check(object, kind));
    PEER_TRY(peer__view_check_size(view_size, size));
    PEER_TRY(peer__input_not_null("view_out", view_out));
    peer__view_copy(view_out, view_size, (const char *)object + offset, size);
    return PEER_OK;
}

/* --- records ---------------------------------------------------------------------------------------------------------- */

struct peer_record {
    struct record *record; /* the bytes that the view borrows */
    peer_record_view view;
};

static void destroy_record(void *data)
{
    peer__record_release(((peer_record *)data)->record);
}

static const void *bytes_of(struct span span)
{
    return span.size > 0 ? span.data : NULL;
}

static void fill_record(peer_record *object, const struct record_fields *fields, uint32_t local_flags)
{
    object->view = (peer_record_view){.struct_size = sizeof(object->view),
                                      .version = fields->version,
                                      .id = fields->id,
                                      .type = fields->type,
                                      .flags = (fields->flags & RECORD_FLAG_DELETED) |
                                               (local_flags & (uint32_t)PEER_RECORD_FLAG_AUTOREFRESH),
                                      .created_us = peer__us_from_ticks(fields->created),
                                      .expires_us = peer__us_from_ticks(fields->expires),
                                      .modified_us = peer__us_from_ticks(fields->modified),
                                      .data = bytes_of(fields->payload),
                                      .size = fields->payload.size,
                                      .security_data = bytes_of(fields->security_data),
                                      .security_data_size = fields->security_data.size};
}

peer_status peer__record_object(struct record *record, uint32_t local_flags, peer_record **record_out)
{
    struct texts texts = {0};
    add_text(&texts, record->fields.creator_id);
    add_text(&texts, record->fields.modifier_id);
    add_text(&texts, record->fields.attributes);
    peer_record *object = create_with_texts(&texts, sizeof(*object), OBJECT_RECORD, destroy_record);
    if (object != NULL) {
        char *end = (char *)(object + 1);
        object->record = record;
        fill_record(object, &record->fields, local_flags);
        object->view.creator_id = place_text(&texts, 0, &end);
        object->view.modifier_id = place_text(&texts, 1, &end);
        object->view.attributes = place_text(&texts, 2, &end);
        *record_out = object;
    } else {
        peer__record_release(record);
    }
    free_texts(&texts);
    return object != NULL ? PEER_OK : peer__out_of_memory();
}

peer_status peer_record_get_view(const peer_record *record, size_t view_size, peer_record_view *view_out)
{
    return get_view(record, OBJECT_RECORD, offsetof(struct peer_record, view), sizeof(*view_out), view_size, view_out);
}

/* --- properties ------------------------------------------------------------------------------------------------------- */

struct peer_graph_properties {
    peer_graph_properties_view view;
};

static int32_t presence_max_of(const struct graph_info *info)
{
    if (info->presence_max == PRESENCE_MAX_ALL)
        return -1;
    return info->presence_max <= INT32_MAX ? (int32_t)info->presence_max : INT32_MAX;
}

peer_status peer__properties_object(const struct graph_info *info, peer_graph_properties **properties_out)
{
    struct texts texts = {0};
    add_text(&texts, info->graph_id);
    add_text(&texts, info->creator_id);
    add_text(&texts, info->friendly_name);
    add_text(&texts, info->comment);
    peer_graph_properties *object = create_with_texts(&texts, sizeof(*object), OBJECT_PROPERTIES, NULL);
    if (object != NULL) {
        char *end = (char *)(object + 1);
        object->view = (peer_graph_properties_view){
            .struct_size = sizeof(object->view),
            .flags = info->flags,
            .scope = info->scope,
            .max_record_size = info->record_size_max != 0 ? info->record_size_max : RECORD_SIZE_MAX,
            .presence_lifetime_s = info->presence_lifetime_s != 0 ? info->presence_lifetime_s : PRESENCE_LIFETIME_MIN_S,
            .presence_max = presence_max_of(info)};
        object->view.graph_id = place_text(&texts, 0, &end);
        object->view.creator_id = place_text(&texts, 1, &end);
        object->view.friendly_name = place_text(&texts, 2, &end);
        object->view.comment = place_text(&texts, 3, &end);
        *properties_out = object;
    }
    free_texts(&texts);
    return object != NULL ? PEER_OK : peer__out_of_memory();
}

peer_status peer_graph_properties_get_view(const peer_graph_properties *properties, size_t view_size,
                                           peer_graph_properties_view *view_out)
{
    return get_view(properties, OBJECT_PROPERTIES, offsetof(struct peer_graph_properties, view), sizeof(*view_out),
                    view_size, view_out);
}

/* --- nodes ------------------------------------------------------------------------------------------------------------ */

struct peer_node_info {
    peer_node_info_view view;
    const char *addresses[LISTEN_ADDRESS_MAX];
    char texts[LISTEN_ADDRESS_MAX][ADDRESS_TEXT_SIZE];
    char text[]; /* peer id, then attributes */
};

peer_status peer__node_info_object(const struct graph_node_info *info, peer_node_info **info_out)
{
    size_t peer_id_size = info->peer_id != NULL ? strlen(info->peer_id) + 1 : 0;
    size_t attributes_size = info->attributes != NULL ? strlen(info->attributes) + 1 : 0;
    peer_node_info *object =
        peer__object_create(sizeof(*object) + peer_id_size + attributes_size, OBJECT_NODE_INFO, NULL);
    if (object == NULL)
        return peer__out_of_memory();
    for (size_t i = 0; i < info->address_count; i++) {
        peer__address_format(&info->addresses[i], object->texts[i]);
        object->addresses[i] = object->texts[i];
    }
    if (peer_id_size > 0)
        memcpy(object->text, info->peer_id, peer_id_size);
    if (attributes_size > 0)
        memcpy(object->text + peer_id_size, info->attributes, attributes_size);
    object->view = (peer_node_info_view){.struct_size = sizeof(object->view),
                                         .address_count = (uint32_t)info->address_count,
                                         .node_id = info->node_id,
                                         .peer_id = peer_id_size > 0 ? object->text : NULL,
                                         .attributes = attributes_size > 0 ? object->text + peer_id_size : NULL,
                                         .addresses = info->address_count > 0 ? object->addresses : NULL};
    *info_out = object;
    return PEER_OK;
}

peer_status peer_node_info_get_view(const peer_node_info *info, size_t view_size, peer_node_info_view *view_out)
{
    return get_view(info, OBJECT_NODE_INFO, offsetof(struct peer_node_info, view), sizeof(*view_out), view_size,
                    view_out);
}

/* --- connections ------------------------------------------------------------------------------------------------------ */

struct peer_connection_info {
    peer_connection_info_view view;
    char address[ADDRESS_TEXT_SIZE];
    char peer_id[];
};

peer_status peer__connection_info_object(const struct graph_connection_info *info, peer_connection_info **info_out)
{
    size_t peer_id_size = info->peer_id != NULL ? strlen(info->peer_id) + 1 : 0;
    peer_connection_info *object = peer__object_create(sizeof(*object) + peer_id_size, OBJECT_CONNECTION_INFO, NULL);
    if (object == NULL)
        return peer__out_of_memory();
    peer__address_format(&info->address, object->address);
    if (peer_id_size > 0)
        memcpy(object->peer_id, info->peer_id, peer_id_size);
    object->view = (peer_connection_info_view){.struct_size = sizeof(object->view),
                                               .flags = info->flags,
                                               .connection_id = info->connection_id,
                                               .node_id = info->node_id,
                                               .peer_id = peer_id_size > 0 ? object->peer_id : NULL,
                                               .address = object->address,
                                               .lost_count = info->lost_count};
    *info_out = object;
    return PEER_OK;
}

peer_status peer_connection_info_get_view(const peer_connection_info *info, size_t view_size,
                                          peer_connection_info_view *view_out)
{
    return get_view(info, OBJECT_CONNECTION_INFO, offsetof(struct peer_connection_info, view), sizeof(*view_out),
                    view_size, view_out);
}

/* --- items of an enumeration ------------------------------------------------------------------------------------------ */

static const struct {
    size_t offset;
    size_t size;
} items[] = {
    [ITEM_RECORDS] = {offsetof(struct peer_record, view), sizeof(peer_record_view)},
    [ITEM_NODES] = {offsetof(struct peer_node_info, view), sizeof(peer_node_info_view)},
    [ITEM_CONNECTIONS] = {offsetof(struct peer_connection_info, view), sizeof(peer_connection_info_view)},
};

size_t peer__item_view_size(enum item_of item_of)
{
    return items[item_of].size;
}

const void *peer__item_view(enum item_of item_of, const void *object)
{
    return (const char *)object + items[item_of].offset;
}
