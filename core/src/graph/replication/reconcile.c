/*
 * Reconciliation, the side that asks. It keeps a stack of ranges that may differ, the newest on top: at first some windows
 * of growing age. A range that differs is cut in pieces, whose fingerprints make the next question, until so few records
 * are left that the other side lists them. What is found is transferred before older windows are looked at: a record that
 * was updated then stands in the same place on both sides, and the hole that it left behind is on both sides too.
 */
#include "graph/parts.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_A_STEP 256u
#define PIECES 16u
#define STALE UINT32_MAX
/** Records that neither side knows to expire later are left out: the time a synchronization may take (decisions.md 9). */
#define CUTOFF_MARGIN (120 * (int64_t)TICKS_PER_SECOND)
/** More than any database holds; who lists more, makes them up. */
#define LISTED_MAX UINT64_C(4000000)

/* The ages at which the windows begin. The first is the time within which clocks differ and records are under way. */
static const int64_t window_ages[] = {PEER_TIME_WINDOW, 8 * PEER_TIME_WINDOW, 64 * PEER_TIME_WINDOW,
                                      512 * PEER_TIME_WINDOW};
#define WINDOW_AGES (sizeof(window_ages) / sizeof(window_ages[0]))

static size_t count_of(const struct buffer *buffer, size_t item_size)
{
    return buffer->size / item_size;
}

static size_t task_count(const struct buffer *tasks)
{
    return count_of(tasks, sizeof(struct range_task));
}

static void put_task(struct buffer *tasks, const struct range_task *task)
{
    peer__buffer_append(tasks, task, sizeof(*task));
}

static size_t transfer_count(const struct link *link)
{
    return count_of(&link->asking->request, sizeof(struct wire_abstract)) +
           count_of(&link->sync.send, sizeof(struct wire_abstract));
}

static int has_failed(const struct link *link)
{
    const struct asking *asking = link->asking;
    return asking->tasks.failed || asking->batch.failed || asking->ranges.failed || asking->asked.failed ||
           asking->answer.failed || asking->listed.failed || asking->unresolved.failed || asking->request.failed ||
           link->sync.send.failed;
}

static void set_phase(struct link *link, enum asking_phase phase)
{
    link->asking->phase = phase;
    peer__engine_timer_set(link->engine, &link->step, 0);
}

/* ----------------------------------------------------------------------------------------------- beginning and end */

static void put_windows(struct asking *asking, uint64_t now)
{
    struct range_task window = {.stamp = STALE, .is_window = 1};
    for (size_t i = WINDOW_AGES; i > 0; i--) {
        window.upper = (struct wire_bound){.modified = peer__ticks_add(now, -window_ages[i - 1])};
        if (peer__bound_compare(&window.lower, &window.upper) < 0)
            put_task(&asking->tasks, &window);
        window.lower = window.upper;
    }
    window.upper = (struct wire_bound){.modified = UINT64_MAX};
    put_task(&asking->tasks, &window);
}

void peer__reconcile_start(struct link *link)
{
    uint64_t now = peer__graph_now(link->graph);
    struct asking *asking = peer__calloc(1, sizeof(*asking));
    if (asking == NULL) {
        peer__link_out_of_memory(link);
        return;
    }
    link->asking = asking;
    link->sync.type = SYNC_RECONCILE;
    link->sync.then_compare = 0;
    link->sync.refused_before = link->graph->refused_count;
    asking->cutoff = peer__ticks_add(now, CUTOFF_MARGIN);
    asking->walk = (struct range_walk){.link = link, .cutoff = asking->cutoff};
    asking->is_first = 1;
    put_windows(asking, now);
    if (has_failed(link))
        peer__link_out_of_memory(link);
    else
        set_phase(link, ASKING_BUILDS);
}

void peer__asking_free(struct link *link)
{
    struct asking *asking = link->asking;
    if (asking == NULL)
        return;
    struct buffer *buffers[] = {&asking->tasks,  &asking->batch,  &asking->ranges,     &asking->asked,
                                &asking->answer, &asking->listed, &asking->unresolved, &asking->request};
    for (size_t i = 0; i < sizeof(buffers) / sizeof(buffers[0]); i++)
        peer__buffer_free(buffers[i]);
    peer__free(asking);
    link->asking = NULL;
}

/* -------------------------------------------------------------------------------------------------------- transfer */

static void push(struct link *link)
{
    link->asking->transfers++;
    peer__sync_push(link);
    set_phase(link, ASKING_PUSHES);
}

static void transfer(struct link *link)
{
    struct asking *asking = link->asking;
    if (asking->request.size == 0) {
        push(link);
        return;
    }
    peer__encode_request(&link->engine->message, (const void *)asking->request.data,
                         count_of(&asking->request, sizeof(struct wire_abstract)));
    peer__buffer_free(&asking->request);
    asking->phase = ASKING_REQUESTED;
    peer__link_send(link);
}

void peer__reconcile_on_end(struct link *link)
{
    if (link->asking->phase == ASKING_REQUESTED)
        push(link);
    else if (link->asking->phase == ASKING_ENDS) /* all is judged; else ignored, 5.12 */
        peer__sync_finish(link);
}

/* -------------------------------------------------------------------------------------------------------- question */

static int is_stale(const struct asking *asking, const struct range_task *task)
{
    return task->is_window && task->stamp != asking->transfers;
}

static int is_to_be_listed(const struct asking *asking, const struct range_task *task)
{
    return task->lists || (!is_stale(asking, task) && task->count <= LISTED_AT_ONCE);
}

/* How many ranges of a question it makes. */
static size_t range_count_of(const struct asking *asking, const struct range_task *task)
{
    return is_stale(asking, task) || is_to_be_listed(asking, task) ? 1 : PIECES;
}

/* What the next question is about: the first asks about all windows; from then on a window is asked about alone. */
static size_t batch_count(const struct asking *asking)
{
    const struct range_task *tasks = (const void *)asking->tasks.data;
    size_t count = task_count(&asking->tasks);
    size_t taken = 0;
    size_t ranges = 0;
    if (asking->is_first)
        return count;
    if (tasks[count - 1].is_window)
        return 1;
    for (; taken < count && !tasks[count - 1 - taken].is_window; taken++) {
        ranges += range_count_of(asking, &tasks[count - 1 - taken]);
        if (ranges > COMPARE_RANGES_MAX)
            break;
    }
    return taken;
}

static void take_batch(struct asking *asking)
{
    size_t size = batch_count(asking) * sizeof(struct range_task);
    peer__buffer_clear(&asking->batch);
    peer__buffer_append(&asking->batch, asking->tasks.data + asking->tasks.size - size, size);
    asking->tasks.size -= size;
    asking->batch_at = 0;
    asking->is_first = 0;
    asking->is_cutting = 0;
    peer__buffer_clear(&asking->ranges);
    peer__buffer_clear(&asking->asked);
}

static void ask_about(struct asking *asking, const struct range_task *task, const uint8_t *fingerprint)
{
    struct wire_range range = {.lower = task->lower, .upper = task->upper, .lists = task->lists};
    if (fingerprint != NULL)
        memcpy(range.fingerprint, fingerprint, sizeof(range.fingerprint));
    peer__buffer_append(&asking->ranges, &range, sizeof(range));
    put_task(&asking->asked, task);
}

static peer_status end_piece(struct asking *asking, const struct wire_bound *upper)
{
    uint8_t fingerprint[FINGERPRINT_SIZE];
    const struct crypto *crypto = &asking->walk.link->engine->config.crypto;
    PEER_TRY(peer__fingerprint_end(&asking->fingerprint, crypto, fingerprint));
    asking->piece.upper = *upper;
    ask_about(asking, &asking->piece, fingerprint);
    asking->piece.lower = *upper;
    asking->piece.count = 0;
    asking->pieces_left--;
    return PEER_OK;
}

/* The shortest one between two records that follow one another. */
static struct wire_bound bound_between(const struct wire_bound *before, const struct store_row *row)
{
    struct wire_bound bound = {.modified = row->modified};
    size_t at = 0;
    if (before->modified != row->modified)
        return bound;
    while (before->record_id.bytes[at] == row->id.bytes[at] && at + 1 < sizeof(row->id.bytes))
        at++;
    memcpy(bound.record_id.bytes, row->id.bytes, at + 1);
    return bound;
}

static int cut_row(void *context, const struct store_row *row)
{
    struct asking *asking = context;
    const struct crypto *crypto = &asking->walk.link->engine->config.crypto;
    peer_status status = PEER_OK;
    if (asking->piece.count == asking->piece_size && asking->pieces_left > 1) {
        struct wire_bound bound = bound_between(&asking->last, row);
        status = end_piece(asking, &bound);
    }
    if (status >= 0)
        status = peer__fingerprint_add(&asking->fingerprint, crypto, row->element);
    asking->piece.count++;
    asking->last = peer__row_bound(row);
    asking->walk.status = status;
    return status < 0 || asking->ranges.failed || asking->asked.failed;
}

static void begin_task(struct asking *asking, struct range_task *task)
{
    if (is_to_be_listed(asking, task)) {
        task->lists = 1;
        task->is_window = 0;
        ask_about(asking, task, NULL);
        asking->batch_at++;
        return;
    }
    int whole = is_stale(asking, task);
    asking->piece_size = whole ? UINT64_MAX : (task->count + PIECES - 1) / PIECES;
    asking->pieces_left = whole ? 1 : PIECES;
    asking->piece = (struct range_task){.lower = task->lower, .is_window = (uint8_t)whole};
    asking->is_cutting = 1;
    asking->walk.visit = cut_row;
    asking->walk.context = asking;
    peer__range_walk_start(&asking->walk, &task->lower, &task->upper);
}

static void send_question(struct link *link)
{
    struct asking *asking = link->asking;
    peer__encode_compare(&link->engine->message, asking->cutoff, (const void *)asking->ranges.data,
                         count_of(&asking->ranges, sizeof(struct wire_range)));
    peer__buffer_clear(&asking->ranges);
    asking->phase = ASKING_AWAITS;
    peer__link_send(link);
}

static peer_status build_some(struct link *link)
{
    struct asking *asking = link->asking;
    size_t budget = ROWS_A_STEP;
    while (asking->batch_at < task_count(&asking->batch) && budget > 0 && !has_failed(link)) {
        struct range_task *task = (struct range_task *)(void *)asking->batch.data + asking->batch_at;
        budget--;
        if (!asking->is_cutting)
            begin_task(asking, task);
        if (!asking->is_cutting)
            continue;
        PEER_TRY(peer__range_walk_step(&asking->walk, &budget));
        if (!asking->walk.done)
            continue;
        PEER_TRY(end_piece(asking, &task->upper));
        asking->is_cutting = 0;
        asking->batch_at++;
    }
    return PEER_OK;
}

/* What comes next: a transfer before anything older is looked at, the end, or (1) a question. */
static int begin_next(struct link *link)
{
    struct asking *asking = link->asking;
    const struct range_task *tasks = (const void *)asking->tasks.data;
    size_t count = task_count(&asking->tasks);
    size_t found = transfer_count(link);
    if (found > 0 && (found >= TRANSFER_MAX || count == 0 || tasks[count - 1].is_window)) {
        transfer(link);
        return 0;
    }
    if (count == 0) {
        asking->phase = ASKING_ENDS;
        peer__sync_finish(link); /* which frees this, now or when all is judged */
        return 0;
    }
    take_batch(asking);
    return 1;
}

static peer_status build(struct link *link)
{
    struct asking *asking = link->asking;
    if (task_count(&asking->batch) == 0 && !begin_next(link))
        return PEER_OK;
    PEER_TRY(build_some(link));
    if (asking->batch_at == task_count(&asking->batch) && !has_failed(link)) {
        peer__buffer_clear(&asking->batch);
        send_question(link);
    }
    return PEER_OK;
}

/* ---------------------------------------------------------------------------------------------------------- answer */

static const char *violation_of(const struct asking *asking, const struct wire_difference *difference)
{
    if (difference->index >= task_count(&asking->asked))
        return "DIFFER names a range that was not asked about";
    const struct range_task *asked = (const struct range_task *)(const void *)asking->asked.data + difference->index;
    if (difference->kind == DIFFERENCE_UNKNOWN && asked->lists)
        return "DIFFER keeps to itself what it was asked to list";
    if (difference->kind != DIFFERENCE_PART)
        return NULL;
    if (!asked->lists)
        return "DIFFER has a part of a range that was not to be listed";
    if (peer__bound_compare(&difference->upper, &asked->lower) <= 0 ||
        peer__bound_compare(&difference->upper, &asked->upper) >= 0)
        return "a part in DIFFER ends outside its range";
    return NULL;
}

static const char *check_answer(struct asking *asking, const struct wire_differ *message)
{
    struct reader reader = peer__reader(message->differences);
    struct wire_difference difference;
    const char *violation = NULL;
    while (violation == NULL && peer__wire_next_difference(&reader, &difference)) {
        violation = violation_of(asking, &difference);
        asking->listed_count += difference.listed_count;
    }
    return violation == NULL && asking->listed_count > LISTED_MAX ? "DIFFER lists more than any database holds"
                                                                  : violation;
}

void peer__link_on_differ(struct link *link, const struct wire_differ *message)
{
    struct asking *asking = link->asking;
    if (asking == NULL || asking->phase != ASKING_AWAITS) {
        peer__link_violation(link, "DIFFER without COMPARE");
        return;
    }
    const char *violation = check_answer(asking, message);
    if (violation != NULL) {
        peer__link_violation(link, violation);
        return;
    }
    peer__buffer_clear(&asking->answer);
    peer__buffer_append(&asking->answer, message->differences.data, message->differences.size);
    if (asking->answer.failed) { /* which would look like one without differences */
        peer__link_out_of_memory(link);
        return;
    }
    asking->answer_at = 0;
    asking->is_resolving = 0;
    set_phase(link, ASKING_RESOLVES);
}

static int compare_listed(const void *a, const void *b)
{
    const struct wire_listed *left = a;
    const struct wire_listed *right = b;
    return peer__guid_compare(&left->record_id, &right->record_id);
}

static void take_list(struct asking *asking, const struct wire_difference *difference, const struct range_task *asked)
{
    peer__buffer_clear(&asking->listed);
    for (size_t i = 0; i < difference->listed_count; i++) {
        struct wire_listed listed;
        peer__wire_listed(difference->listed, i, &listed);
        peer__buffer_append(&asking->listed, &listed, sizeof(listed));
    }
    size_t count = count_of(&asking->listed, sizeof(struct wire_listed));
    if (count > 1)
        qsort(asking->listed.data, count, sizeof(struct wire_listed), compare_listed);
    asking->listed_at = 0;
    asking->resolving = *asked;
    asking->rest = *asked;
    if (difference->kind == DIFFERENCE_PART)
        asking->resolving.upper = difference->upper;
    asking->rest.lower = asking->resolving.upper;
    asking->is_resolving = 1;
    asking->is_comparing = 0;
}

/* A list is looked at if there is room for what it may say. In an older window, what newer ones will bring is missing: it
 * has to wait. */
static void begin_difference(struct link *link, const struct wire_difference *difference, int is_newest)
{
    struct asking *asking = link->asking;
    struct range_task asked = ((const struct range_task *)(const void *)asking->asked.data)[difference->index];
    int is_older = asked.is_window && !is_newest;
    asked.stamp = is_newest ? asking->transfers : STALE;
    if (difference->kind != DIFFERENCE_UNKNOWN && !is_older && transfer_count(link) < TRANSFER_MAX)
        take_list(asking, difference, &asked);
    else
        put_task(&asking->unresolved, &asked);
}

static int is_other_copy(const struct store_row *ours, const struct wire_listed *theirs)
{
    return ours->version == theirs->version && memcmp(ours->element, theirs->digest, sizeof(theirs->digest)) != 0;
}

/* Of two copies of one version one travels, so that they meet. A tombstone stays where it is and gets to know the other
 * (decisions.md 10); so does what nobody compares any more. */
static int is_wanted(const struct asking *asking, const struct store_row *held, const struct wire_listed *listed)
{
    int stays = (held->flags & RECORD_FLAG_DELETED) != 0 || held->expires <= asking->cutoff;
    return held->version < listed->version || (is_other_copy(held, listed) && stays);
}

/* decisions.md 8: what is held under that id is compared wherever it stands. */
static peer_status look_up(struct link *link, const struct wire_listed *listed)
{
    struct store_row held;
    struct wire_abstract wanted = {.record_id = listed->record_id, .version = listed->version};
    if (peer__rejections_have(link->graph->rejections, &listed->record_id, listed->version, listed->digest,
                              sizeof(listed->digest)))
        return PEER_OK; /* it would be dropped */
    peer_status status = peer__range_find(link, &listed->record_id, &held);
    if (status < 0 && status != PEER_E_RECORD_NOT_FOUND)
        return status;
    if (status == PEER_E_RECORD_NOT_FOUND || is_wanted(link->asking, &held, listed))
        peer__buffer_append(&link->asking->request, &wanted, sizeof(wanted));
    return PEER_OK;
}

/* Whether the other side, which lists this of the range, needs ours. */
static int is_to_be_sent(const struct store_row *row, const struct wire_listed *theirs)
{
    if (theirs == NULL || theirs->version < row->version)
        return 1;
    return is_other_copy(row, theirs) && (row->flags & RECORD_FLAG_DELETED) == 0;
}

static int compare_row(void *context, const struct store_row *row)
{
    struct link *link = context;
    struct asking *asking = link->asking;
    struct wire_listed key = {.record_id = row->id};
    struct wire_abstract ours = {.record_id = row->id, .version = row->version};
    const struct wire_listed *theirs = NULL;
    if (asking->listed.size > 0)
        theirs =
            bsearch(&key, asking->listed.data, count_of(&asking->listed, sizeof(key)), sizeof(key), compare_listed);
    if (!is_to_be_sent(row, theirs))
        return 0;
    if (transfer_count(link) >= TRANSFER_MAX + LISTED_AT_ONCE) {
        asking->rest.lower = peer__row_bound(row); /* from here on it is asked for again */
        return 1;
    }
    peer__buffer_append(&link->sync.send, &ours, sizeof(ours));
    return link->sync.send.failed;
}

static peer_status resolve_list(struct link *link, size_t *budget)
{
    struct asking *asking = link->asking;
    const struct wire_listed *listed = (const void *)asking->listed.data;
    size_t count = count_of(&asking->listed, sizeof(*listed));
    for (; asking->listed_at < count && *budget > 0; --*budget)
        PEER_TRY(look_up(link, &listed[asking->listed_at++]));
    if (asking->listed_at < count)
        return PEER_OK;
    if (!asking->is_comparing) {
        asking->walk.visit = compare_row;
        asking->walk.context = link;
        peer__range_walk_start(&asking->walk, &asking->resolving.lower, &asking->resolving.upper);
        asking->is_comparing = 1;
    }
    PEER_TRY(peer__range_walk_step(&asking->walk, budget));
    if (!asking->walk.done)
        return PEER_OK;
    asking->is_resolving = 0;
    if (peer__bound_compare(&asking->rest.lower, &asking->rest.upper) < 0) {
        asking->rest.lists = 1;
        asking->rest.is_window = 0;
        put_task(&asking->unresolved, &asking->rest);
    }
    return PEER_OK;
}

static struct span answer_left(const struct asking *asking)
{
    if (asking->answer.size == 0)
        return (struct span){0};
    return (struct span){asking->answer.data + asking->answer_at, asking->answer.size - asking->answer_at};
}

static peer_status resolve_some(struct link *link)
{
    struct asking *asking = link->asking;
    size_t budget = ROWS_A_STEP;
    while (budget > 0 && !has_failed(link)) {
        struct reader reader = peer__reader(answer_left(asking));
        struct wire_difference difference;
        if (asking->is_resolving) {
            PEER_TRY(resolve_list(link, &budget));
            continue;
        }
        if (!peer__wire_next_difference(&reader, &difference))
            return PEER_OK;
        asking->answer_at += reader.at;
        begin_difference(link, &difference, peer__read_left(&reader) == 0);
        budget--;
    }
    return PEER_OK;
}

static peer_status resolve(struct link *link)
{
    struct asking *asking = link->asking;
    PEER_TRY(resolve_some(link));
    if (asking->is_resolving || answer_left(asking).size > 0 || has_failed(link))
        return PEER_OK;
    peer__buffer_append(&asking->tasks, asking->unresolved.data, asking->unresolved.size);
    peer__buffer_clear(&asking->unresolved);
    asking->phase = ASKING_BUILDS;
    return PEER_OK;
}

/* ------------------------------------------------------------------------------------------------------------ steps */

int peer__asking_is_busy(const struct link *link)
{
    if (link->asking == NULL)
        return 0;
    enum asking_phase phase = link->asking->phase;
    return phase == ASKING_BUILDS || phase == ASKING_RESOLVES || phase == ASKING_PUSHES;
}

/* What was pushed is stored there before the next question is read. */
static int awaits_room(const struct link *link)
{
    return link->asking->phase == ASKING_PUSHES && link->push.kind != ANSWER_NONE;
}

void peer__reconcile_pushed(struct link *link)
{
    if (link->asking != NULL && link->asking->phase == ASKING_PUSHES)
        set_phase(link, ASKING_PUSHES);
}

void peer__asking_step(struct link *link)
{
    peer_status status = PEER_OK;
    if (!peer__asking_is_busy(link) || awaits_room(link))
        return;
    if (link->asking->phase == ASKING_PUSHES)
        link->asking->phase = ASKING_BUILDS;
    if (link->asking->phase == ASKING_RESOLVES)
        status = resolve(link);
    else
        status = build(link);
    if (link->asking == NULL || link->state != LINK_CONNECTED)
        return;
    if (has_failed(link))
        peer__link_out_of_memory(link);
    else if (status < 0)
        peer__link_end(link, status, "the database could not be compared with that of \"%s\": %s", link->address_text,
                       peer__last_error());
    else if (peer__asking_is_busy(link) && !awaits_room(link))
        peer__engine_timer_set(link->engine, &link->step, 0);
}
