/** A connection of the simulated network, as the files that deal with connections share it. */
#ifndef PEER_SIM_PIPE_H
#define PEER_SIM_PIPE_H

#include "sim/internal.h"

/* `size` 0: the end of the stream. */
struct chunk {
    struct chunk *next;
    int64_t arrives_us;
    size_t size;
    uint64_t released; /* a whole message that was held back under this id; 0: a piece of the stream */
    uint8_t data[];
};

struct way {
    struct pipe *pipe;
    struct transport_connection *from;
    struct transport_connection *to;
    struct buffer outbox;
    size_t outbox_at; /* taken from the outbox so far */
    struct chunk *first;
    struct chunk **last;
    size_t in_flight;
    int64_t wire_free_us;
    int64_t last_arrival_us;
    int above_high_water;
    int finishing; /* after the outbox the stream ends */
    int ended;     /* the end is on its way */
    struct timer take;
    struct timer arrive;
    const struct sim_link *link;
    struct frame_assembler messages; /* of the stream as it arrives */
    int unreadable;                  /* it is not made of frames */
    int whole;                       /* an interception lets whole messages through only; from then on to the end */
    struct buffer withheld;          /* whole: the bytes of the message that is arriving */
};

/* Who holds an end: nobody yet, an endpoint that dials, an endpoint, or nobody any more. */
enum end_state { END_NEW, END_DIALLING, END_OPEN, END_GONE };

struct transport_connection {
    struct pipe *pipe;
    struct sim_host *host;
    struct way *out;
    struct way *in;
    enum end_state state;
    int paused;
    void *tag;
    struct address remote;
    struct timer linger;
    int patient; /* lingers for as long as the other side could still read */
    int64_t linger_us;
    int64_t linger_until_us; /* at the latest */
};

enum stage { STAGE_SYN, STAGE_REFUSED, STAGE_ACCEPTED, STAGE_UP };

struct pipe {
    struct list in_sim;
    struct list in_let_go;
    struct sim *sim;
    uint64_t id;
    enum stage stage;
    char host_name[HOST_NAME_SIZE];
    struct address address; /* dialled */
    int64_t dialled_us;
    int64_t up_us;
    int stranded;                        /* one of its hosts has moved: nothing passes any more */
    int64_t cut_since_us;                /* -1: not cut */
    struct transport_connection ends[2]; /* 0 dialled, 1 accepted */
    struct way ways[2];                  /* 0 from the dialler */
    struct timer dial;
    struct timer give_up;
};

/* pipe.c */
/** 1 while whoever is at this end may get bytes. */
static inline int end_is_open(const struct transport_connection *end)
{
    return end->state == END_OPEN;
}
/** Puts a chunk, whose moment is set, among those that are on their way. */
void peer__sim_way_insert(struct way *way, struct chunk *chunk);
/** A chunk with room for `size` bytes; NULL: memory is out, and the network fails. */
struct chunk *peer__sim_chunk_create(struct way *way, size_t size);
void peer__sim_pipe_note(struct pipe *pipe, const char *state);
/** Gives bytes to whoever is at the end of the way, unless it has closed. */
void peer__sim_way_pass(struct way *way, const void *data, size_t size);
size_t peer__sim_way_queued(const struct way *way);
int peer__sim_way_is_cut(const struct way *way);

/* intercept.c */
/** Bytes that have arrived while messages are intercepted: those that nobody wants to see go on. */
void peer__sim_sift(struct way *way, struct span input);
/** A message that was held back arrives. */
void peer__sim_arrive_released(struct way *way, const struct chunk *chunk);
void peer__sim_forget_held(struct pipe *pipe);

#endif
