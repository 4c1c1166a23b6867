/* What the bytes of a record must satisfy, how its id is made, and which of two copies wins. */
#include <string.h>

#include "base/agreement.h"
#include "base/error.h"
#include "base/text.h"
#include "wire/limits.h"
#include "wire/record.h"

#define PROTOCOL_VERSION_RECORD 0x0100u

static peer_status invalid(const struct record_fields *fields, const char *rule)
{
    char id[37];
    peer__guid_format(&fields->id, id);
    return peer__fail(PEER_E_INVALID_RECORD, "record %s version %u: %s", id, (unsigned)fields->version, rule);
}

/* 2.2.1.9: characters with the terminator, 2 to 256. */
static int is_id_text(struct span text)
{
    return text.size >= 2 * sizeof(uint16_t) && text.size <= ID_UNITS_MAX * sizeof(uint16_t) &&
           peer__utf16_is_valid(text);
}

static const peer_guid *fixed_id(const peer_guid *type)
{
    if (peer__guid_equal(type, &peer__type_graph_info))
        return &peer__id_graph_info;
    return peer__guid_equal(type, &peer__type_signature) ? &peer__id_signature : NULL;
}

/* 3.1.7.2 and 3.1.7.27. Graph info and signature have fixed ids, exempt from the rule (else none would pass). */
static peer_status check_id(const struct record_fields *fields, const struct crypto *crypto)
{
    const peer_guid *fixed = fixed_id(&fields->type);
    if (fixed != NULL) {
        return peer__guid_equal(&fields->id, fixed) ? PEER_OK
                                                    : invalid(fields, "the type's fixed record id is another");
    }
    uint8_t high[8];
    uint8_t id[16];
    PEER_TRY(peer__record_id_high(crypto, fields->creator_id, high));
    peer__guid_to_wire(&fields->id, id);
    return memcmp(id, high, sizeof(high)) == 0 ? PEER_OK : invalid(fields, "the id is not of the creator's making");
}

peer_status peer__record_check(const struct record_fields *fields, const struct crypto *crypto)
{
    const struct span *modifier = &fields->modifier_id;
    const struct span *attributes = &fields->attributes;

    if (!is_id_text(fields->creator_id))
        return invalid(fields, "Creator ID is not 2 to 256 units of text");
    if (modifier->size != 0 && !is_id_text(*modifier))
        return invalid(fields, "Last Modified By ID is neither absent nor 2 to 256 units of text");
    if (fields->expires <= fields->modified || fields->modified < fields->created)
        return invalid(fields, "Creation, Last Modification and Expiration Time are out of order");
    if (!is_id_text(fields->graph_id))
        return invalid(fields, "Graph ID is not 2 to 256 units of text");
    if (fields->protocol_version != PROTOCOL_VERSION_RECORD)
        return invalid(fields, "Protocol Version is not 0x0100");
    if (attributes->size != 0 && !peer__utf16_is_valid(*attributes))
        return invalid(fields, "the attributes are not text");
    if ((fields->flags & RECORD_FLAG_DELETED) != 0 && peer__record_counted_size(fields) != 0)
        return invalid(fields, "a deleted record carries data"); /* attributes: 3.1.4.5 empties them too */
    if (fields->modified == fields->created && modifier->size != 0)
        return invalid(fields, "Last Modified By ID names someone although nothing was modified");
    return check_id(fields, crypto);
}

/* h = MD5(Creator ID), first half xor second half. D-10: the bytes of the field as they travel. */
peer_status peer__record_id_high(const struct crypto *crypto, struct span creator_id, uint8_t high_out[8])
{
    if (!WIRE_RECORD_ID_HASHES_TERMINATOR && creator_id.size >= 2)
        creator_id.size -= 2;
    uint8_t digest[16];
    PEER_TRY(crypto->md5(crypto->self, &creator_id, 1, digest));
    for (size_t i = 0; i < 8; i++)
        high_out[i] = digest[i] ^ digest[i + 8];
    return PEER_OK;
}

peer_status peer__record_id_make(const struct crypto *crypto, struct span creator_id, const uint8_t random[16],
                                 peer_guid *id_out)
{
    uint8_t id[16];
    PEER_TRY(peer__record_id_high(crypto, creator_id, id));
    for (size_t i = 0; i < 8; i++)
        id[8 + i] = random[i] ^ random[i + 8];
    *id_out = peer__guid_from_wire(id);
    return PEER_OK;
}

/* 3.1.7.32: the first difference decides. */
int peer__record_compare(const struct record_fields *a, const struct record_fields *b)
{
    if (a->version != b->version)
        return a->version > b->version ? 1 : -1;
    if ((a->modifier_id.size != 0) != (b->modifier_id.size != 0))
        return a->modifier_id.size != 0 ? 1 : -1;
    int order = peer__utf16_compare(a->modifier_id, b->modifier_id); /* D-12 */
    if (order != 0)
        return order;
    if (a->modified != b->modified)
        return a->modified > b->modified ? 1 : -1;
    if (a->security_data.size != b->security_data.size)
        return a->security_data.size > b->security_data.size ? 1 : -1;
    return peer__span_compare(a->security_data, b->security_data); /* unsigned bytewise */
}
