/* The exported functions about queries that are built. They need no runtime. */
#include "api/handle.h"
#include "base/error.h"
#include "event/object.h"
#include "xml/search.h"

struct peer_query {
    struct query query;
};

static void destroy(void *data)
{
    peer_query *query = data;
    peer__query_free(&query->query);
}

static peer_status check(const peer_query *query)
{
    PEER_TRY(peer__check_not_forked());
    return peer__object_check(query, OBJECT_QUERY);
}

static peer_status check_not_null(const char *argument, const void *value)
{
    return value != NULL ? PEER_OK : peer__fail(E_INVALIDARG, "%s is NULL", argument);
}

static peer_status check_clause(const peer_query *query, const char *name)
{
    PEER_TRY(check(query));
    return check_not_null("name", name);
}

peer_status peer_query_create(peer_query **query_out)
{
    PEER_TRY(peer__check_not_forked());
    PEER_TRY(check_not_null("query_out", query_out));
    peer_query *query = peer__object_create(sizeof(peer_query), OBJECT_QUERY, destroy);
    if (query == NULL)
        return peer__out_of_memory();
    peer_status status = peer__query_init(&query->query);
    if (status < 0)
        peer__object_release(query);
    else
        *query_out = query;
    return status;
}

peer_status peer_query_begin_and(peer_query *query)
{
    PEER_TRY(check(query));
    return peer__query_begin(&query->query, SEARCH_AND);
}

peer_status peer_query_begin_or(peer_query *query)
{
    PEER_TRY(check(query));
    return peer__query_begin(&query->query, SEARCH_OR);
}

peer_status peer_query_end(peer_query *query)
{
    PEER_TRY(check(query));
    return peer__query_end(&query->query);
}

peer_status peer_query_add_text(peer_query *query, const char *name, int32_t compare, const char *text)
{
    PEER_TRY(check_clause(query, name));
    PEER_TRY(check_not_null("text", text));
    return peer__query_add_text(&query->query, name, compare, text);
}

peer_status peer_query_add_pattern(peer_query *query, const char *name, int32_t compare, const char *pattern)
{
    PEER_TRY(check_clause(query, name));
    PEER_TRY(check_not_null("pattern", pattern));
    return peer__query_add_pattern(&query->query, name, compare, pattern);
}

peer_status peer_query_add_int(peer_query *query, const char *name, int32_t compare, int64_t value)
{
    PEER_TRY(check_clause(query, name));
    return peer__query_add_int(&query->query, name, compare, value);
}

peer_status peer_query_add_date(peer_query *query, const char *name, int32_t compare, int64_t time_us)
{
    PEER_TRY(check_clause(query, name));
    return peer__query_add_date(&query->query, name, compare, time_us);
}

peer_status peer_query_add_guid(peer_query *query, const char *name, int32_t compare, const peer_guid *guid)
{
    PEER_TRY(check_clause(query, name));
    PEER_TRY(check_not_null("guid", guid));
    return peer__query_add_guid(&query->query, name, compare, guid);
}

peer_status peer_query_get_xml(const peer_query *query, const char **xml_out)
{
    PEER_TRY(check(query));
    PEER_TRY(check_not_null("xml_out", xml_out));
    PEER_TRY(peer__query_check_complete(&query->query));
    *xml_out = (const char *)query->query.xml.data;
    return PEER_OK;
}
