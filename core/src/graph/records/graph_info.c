/* The graph's own information, a record like any other (MS-PPGRH 2.2.3.1, 3.1.7.7; spec 6.3). */
#include "base/text.h"
#include "graph/parts.h"

struct info_texts {
    struct buffer creator_id;
    struct buffer friendly_name;
    struct buffer comment;
    struct buffer payload;
};

static int append_text(struct buffer *out, const char *text)
{
    return text == NULL || *text == '\0' || peer__utf16_append(out, text) == 0;
}

static void encode_info(struct graph *graph, const peer_graph_properties_view *properties, struct info_texts *texts)
{
    uint32_t scope = properties->scope != 0 ? properties->scope : (uint32_t)PEER_GRAPH_SCOPE_GLOBAL;
    const struct graph_info info = {
        .flags = properties->flags & GRAPH_INFO_FLAG_DEFER_EXPIRATION,
        .scope = scope,
        .graph_id = {graph->graph_id_wire.data, graph->graph_id_wire.size},
        .creator_id = {texts->creator_id.data, texts->creator_id.size},
        .friendly_name = {texts->friendly_name.data, texts->friendly_name.size},
        .comment = {texts->comment.data, texts->comment.size},
        .presence_lifetime_s =
            properties->presence_lifetime_s != 0 ? properties->presence_lifetime_s : PRESENCE_LIFETIME_MIN_S,
        .presence_max = properties->presence_max < 0 ? PRESENCE_MAX_ALL : (uint32_t)properties->presence_max,
        .record_size_max = properties->max_record_size != 0 ? properties->max_record_size : RECORD_SIZE_DEFAULT};
    peer__graph_info_encode(&texts->payload, &info);
}

static peer_status put_info(struct graph *graph, const struct info_texts *texts)
{
    uint64_t now = peer__graph_now(graph);
    struct record_fields fields = {.type = peer__type_graph_info,
                                   .id = peer__id_graph_info,
                                   .version = 1,
                                   .creator_id = {texts->creator_id.data, texts->creator_id.size},
                                   .created = now,
                                   .modified = now,
                                   .expires = peer__ticks_add(now, GRAPH_INFO_LIFETIME), /* D-23 */
                                   .graph_id = {graph->graph_id_wire.data, graph->graph_id_wire.size},
                                   .protocol_version = 0x0100,
                                   .payload = {texts->payload.data, texts->payload.size}};
    struct record *record;
    PEER_TRY(peer__record_encode(&fields, &record));
    peer_status status = peer__graph_put(graph, record, 0, 0);
    peer__record_release(record);
    return status;
}

peer_status peer__graph_publish_info(struct graph *graph, const peer_graph_properties_view *properties)
{
    struct info_texts texts = {0};
    peer_status status = PEER_OK;
    if (!append_text(&texts.creator_id, properties->creator_id) ||
        !append_text(&texts.friendly_name, properties->friendly_name) ||
        !append_text(&texts.comment, properties->comment))
        status = peer__fail(E_INVALIDARG, "a property of the graph is not well-formed UTF-8");
    if (status >= 0) {
        encode_info(graph, properties, &texts);
        status = texts.creator_id.failed || texts.friendly_name.failed || texts.comment.failed || texts.payload.failed
                     ? peer__out_of_memory()
                     : put_info(graph, &texts);
    }
    peer__buffer_free(&texts.creator_id);
    peer__buffer_free(&texts.friendly_name);
    peer__buffer_free(&texts.comment);
    peer__buffer_free(&texts.payload);
    return status;
}

static peer_status publish_changed(struct graph *graph, const peer_graph_properties_view *properties)
{
    struct buffer friendly_name = {0};
    struct buffer comment = {0};
    struct buffer payload = {0};
    struct graph_info info = graph->info;
    peer_status status = PEER_OK;
    if (!append_text(&friendly_name, properties->friendly_name) || !append_text(&comment, properties->comment))
        status = peer__fail(E_INVALIDARG, "a property of the graph is not well-formed UTF-8");
    info.friendly_name = (struct span){friendly_name.data, friendly_name.size};
    info.comment = (struct span){comment.data, comment.size};
    info.presence_lifetime_s =
        properties->presence_lifetime_s != 0 ? properties->presence_lifetime_s : PRESENCE_LIFETIME_MIN_S;
    info.presence_max = properties->presence_max < 0 ? PRESENCE_MAX_ALL : (uint32_t)properties->presence_max;
    if (status >= 0) {
        peer__graph_info_encode(&payload, &info);
        if (friendly_name.failed || comment.failed || payload.failed)
            status = peer__out_of_memory();
    }
    if (status >= 0)
        status = peer__graph_publish(graph, &(struct publication){.type = &peer__type_graph_info,
                                                                  .id = &peer__id_graph_info,
                                                                  .payload = {payload.data, payload.size},
                                                                  .lifetime = GRAPH_INFO_LIFETIME}); /* D-23 */
    peer__buffer_free(&friendly_name);
    peer__buffer_free(&comment);
    peer__buffer_free(&payload);
    return status;
}

peer_status peer__graph_set_properties(struct graph *graph, const peer_graph_properties_view *properties)
{
    PEER_TRY(peer__graph_require_ready(graph));
    peer__engine_enter(graph->engine);
    peer_status status = publish_changed(graph, properties);
    peer__engine_leave(graph->engine);
    return status;
}

/* 13.3: the newest information holds. Graph id and creator cannot change; who sends others was refused before. */
void peer__graph_take_info(struct graph *graph, struct record *record, int tell)
{
    struct graph_info info;
    if ((record->fields.flags & RECORD_FLAG_DELETED) != 0 || peer__graph_info_decode(record->fields.payload, &info) < 0)
        return;
    peer__record_release(graph->info_record);
    graph->info_record = peer__record_retain(record);
    graph->info = info;
    graph->record_size_max = info.record_size_max != 0 ? info.record_size_max : RECORD_SIZE_MAX;
    if (graph->dialler.online)
        peer__graph_maintain_presence(graph);
    if (tell)
        peer__graph_tell(graph, &(peer_event_view){.struct_size = sizeof(peer_event_view),
                                                   .type = PEER_GRAPH_EVENT_PROPERTY_CHANGED});
}

peer_status peer__graph_properties(const struct graph *graph, struct graph_info *info_out)
{
    PEER_TRY(peer__graph_require_ready(graph));
    *info_out = graph->info;
    return PEER_OK;
}
