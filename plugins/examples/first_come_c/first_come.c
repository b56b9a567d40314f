/* First come, first served: a LabTrust coordination method in C, written from contract.md alone.
 *
 * Everybody who is free takes the first piece of work that their role allows, where they stand if there is any there,
 * and else walks to the first elsewhere. No transport between sites, no controls, no reruns: enough to release results.
 *
 * The file has four parts: reading, writing, deciding, and how the bytes get in and out: as WebAssembly (no library is
 * needed) or as a shared library (C's own). `.ci/guests` builds the first, for the second:
 *   cc -std=c11 -O2 -shared -fPIC -I plugins/api/include first_come.c -o first_come.so
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Reading numbers: seven bits a byte, the lowest first; the highest bit says that another byte follows. ---- */

#define NONE UINT32_MAX /* an optional number that is not there */

typedef struct {
    const uint8_t *at, *end;
    bool bad; /* something was no message; what was read since means nothing */
} reader;

static uint8_t byte_of(reader *r) {
    if (r->at == r->end) {
        r->bad = true;
        return 0;
    }
    return *r->at++;
}

/* A number of at most this many bits. */
static uint64_t number(reader *r, unsigned bits) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < bits; shift += 7) {
        uint64_t byte = byte_of(r);
        if (bits - shift < 7 && byte >> (bits - shift) != 0) break; /* too large, or one byte too many */
        value |= (byte & 127) << shift;
        if (byte < 128) return value;
    }
    r->bad = true;
    return 0;
}

static uint16_t u16(reader *r) { return (uint16_t)number(r, 16); }
static uint32_t u32(reader *r) { return (uint32_t)number(r, 32); }

/* One of the first `end` numbers: a flag, a choice, whether something is there. */
static uint32_t below(reader *r, uint32_t end) {
    uint32_t value = u32(r);
    if (value >= end) r->bad = true;
    return r->bad ? 0 : value;
}

static bool flag(reader *r) { return below(r, 2) == 1; }
static uint32_t maybe_u16(reader *r) { return flag(r) ? u16(r) : NONE; }

/* How many follow; every one has at least a byte, so there cannot be more than bytes are left. */
static uint32_t count(reader *r) {
    uint64_t n = number(r, 64);
    if (n > (uint64_t)(r->end - r->at)) r->bad = true;
    return r->bad ? 0 : (uint32_t)n;
}

/* The same for a table with room for `most` rows. */
static uint32_t rows(reader *r, uint32_t most, bool *too_many) {
    uint32_t n = count(r);
    if (n > most) *too_many = r->bad = true;
    return r->bad ? 0 : n;
}

/* A text; whether it is this one. */
static bool text_is(reader *r, const char *wanted) {
    bool same = true;
    for (uint32_t left = count(r); left > 0; left--) {
        uint8_t byte = byte_of(r);
        if (same && byte == (uint8_t)*wanted) wanted++;
        else same = false;
    }
    return same && *wanted == 0;
}

/* A value that nobody here looks at, and a list of them. */
static void skip(reader *r, char type) {
    switch (type) {
    case 'f': flag(r); break;
    case 'n': number(r, 64); break; /* i64, or less */
    case 'm': if (flag(r)) number(r, 64); break;
    case 't': text_is(r, ""); break;
    }
}
static void skip_list(reader *r, char type) {
    for (uint32_t left = count(r); left > 0 && !r->bad; left--) skip(r, type);
}

/* ---- Columns: how many bytes, then cells of one width, the lowest byte first. ---- */

/* The next column's cells, and how many there are. */
static const uint8_t *cells(reader *r, uint32_t width, uint32_t *n) {
    uint32_t bytes = count(r);
    if (bytes % width != 0) r->bad = true;
    *n = r->bad ? 0 : bytes / width;
    const uint8_t *first = r->at;
    if (!r->bad) r->at += bytes;
    return first;
}
static void skip_column(reader *r, uint32_t width) { uint32_t n; cells(r, width, &n); }

/* The cells of a column that has one for each of `n`. */
static const uint8_t *column(reader *r, uint32_t width, uint32_t n) {
    uint32_t there;
    const uint8_t *first = cells(r, width, &there);
    if (there != n) r->bad = true;
    return first;
}

/* The number of the cell `i`; the largest of its width is NONE in a column of optional numbers. */
static uint32_t cell16(const uint8_t *first, uint32_t i) { return first[2 * i] | (uint32_t)first[2 * i + 1] << 8; }
static uint32_t cell32(const uint8_t *first, uint32_t i) {
    return cell16(first, 2 * i) | cell16(first, 2 * i + 1) << 16;
}
static uint32_t maybe16(const uint8_t *first, uint32_t i) {
    uint32_t value = cell16(first, i);
    return value == UINT16_MAX ? NONE : value;
}
/* A flag or a choice, one of the first `end` numbers. */
static uint32_t choice(reader *r, const uint8_t *first, uint32_t i, uint32_t end) {
    if (first[i] >= end) r->bad = true;
    return first[i];
}

/* Each of `n` rows gets what `get` makes of its cell. `first` and `i` are the cells and the row. */
#define COLUMN(r, width, n, into, get) do {                                   \
        const uint8_t *first = column(r, width, n);                           \
        for (uint32_t i = 0; i < (n) && !(r)->bad; i++) (into) = (get);       \
    } while (0)
/* The rows of a table with room for `most`, by its first column. */
static uint32_t table(reader *r, uint32_t width, uint32_t most, bool *too_many) {
    uint32_t n;
    cells(r, width, &n);
    if (n > most) *too_many = r->bad = true;
    return r->bad ? 0 : n;
}

/* ---- Writing ---- */

typedef struct { uint8_t bytes[64 * 1024]; uint32_t len; } writer;

static void put(writer *w, uint64_t value) {
    do {
        if (w->len < sizeof w->bytes) w->bytes[w->len++] = (uint8_t)(value < 128 ? value : (value & 127) | 128);
        value >>= 7;
    } while (value != 0);
}
static void put_text(writer *w, const char *text) {
    uint32_t len = 0;
    while (text[len] != 0) len++;
    put(w, len);
    for (; *text != 0 && w->len < sizeof w->bytes; text++) w->bytes[w->len++] = (uint8_t)*text;
}
static void put_maybe(writer *w, uint32_t value) {
    put(w, value != NONE);
    if (value != NONE) put(w, value);
}

enum problem { SITE = 1, MESSAGE = 2 };

static void put_problem(writer *w, enum problem kind, const char *message) {
    w->len = 0;
    put(w, 1);
    put(w, kind);
    put_text(w, message);
}

static void put_manifest(writer *w) {
    put(w, 1), put(w, 0), put(w, 0); /* contract 1.0, no features */
    put_text(w, "coordination-method");
    put_text(w, "org.example.first_come_c");
    put_text(w, "0.1.0");
    put_text(w, "Everybody who is free takes the first piece of work that their role allows.");
    put_text(w, "{\"type\":\"object\",\"properties\":{},\"additionalProperties\":false}");
}

/* ---- Deciding ---- */

enum { ZONES = 256, DEVICES = 512, AGENTS = 1024, SPECIMENS = 4096, ABLE = 32768, ROWS = 4096, JOBS = 16384 };
enum use { MEASURE, SPIN, ALIQUOT };
enum stage { ARRIVED = 1, ACCESSIONED, CHECKED, ACCEPTED, SPUN = 6, SEPARATED, READY = 9 };
enum act {
    QUEUE_RUN = 2, MOVE, START_RUN = 5, CREATE_ACCESSION, CHECK_ACCEPTANCE_RULES, ACCEPT_SPECIMEN,
    CENTRIFUGE_START = 11, CENTRIFUGE_END, ALIQUOT_CREATE, GENERATE_RESULT,
    RELEASE_RESULT = 16, NOTIFY_CRITICAL_RESULT = 19, ACK_CRITICAL_RESULT
};

/* A piece of work: what to do, where (NONE: anywhere), and what it is about. */
typedef struct { enum act act; uint32_t zone, specimen, device, object; bool taken; } job;

/* Everything that is remembered of an episode, and the newest observation. */
typedef struct {
    uint32_t zones, devices, agents, reception;
    struct { enum use use; uint32_t zone, status, free, queue, head; bool passes; } device[DEVICES];
    struct { uint32_t zone, walking_to, may; bool directed; } agent[AGENTS];
    struct { uint32_t stage, device, able_end; } specimen[SPECIMENS];
    uint16_t able[ABLE]; /* devices that can measure the specimens, one specimen after the other */
    uint32_t run_device[ROWS];
    struct { bool held, critical, called, releasable; } result[ROWS];
    uint32_t specimens, runs, results;
    bool frozen, too_many, created;
    job job[JOBS];
    uint32_t jobs;
    writer reply;
} lab;

static bool read_site(lab *l, reader *r) {
    for (uint32_t left = count(r); left > 0 && !r->bad; left--) { /* settings: there are none to look at */
        skip(r, 't');
        skip(r, "fnt"[below(r, 3)]);
    }
    skip(r, 'n'), skip(r, 'n'), skip(r, 'm'); /* seed, dt_s, horizon_s */
    skip(r, 'f'), skip(r, 'f');               /* simulated, telemetry */
    skip_list(r, 't');                        /* roles */
    l->zones = rows(r, ZONES, &l->too_many);
    l->reception = NONE;
    for (uint32_t i = 0; i < l->zones; i++) if (text_is(r, "Z_SRA_RECEPTION")) l->reception = i;
    skip_list(r, 'm'); /* zone_capacity: this method does not mind who stands where */
    for (uint32_t left = count(r); left > 0 && !r->bad; left--) { /* ways: nor who walks there */
        skip(r, 'n'), skip(r, 'n'), skip(r, 'n'), skip(r, 'm'), skip(r, 'f'), skip(r, 'm'), skip(r, 'f');
    }
    skip_list(r, 'n'); /* next_hop: the program finds the way */
    for (uint32_t left = count(r); left > 0 && !r->bad; left--) skip(r, 't'), skip(r, 'n'); /* doors */
    l->devices = rows(r, DEVICES, &l->too_many);
    for (uint32_t i = 0; i < l->devices && !r->bad; i++) {
        skip(r, 't');
        reader again = *r;
        bool spins = text_is(r, "CENTRIFUGE_BANK"), aliquots = text_is(&again, "ALIQUOTER");
        l->device[i].use = spins ? SPIN : aliquots ? ALIQUOT : MEASURE;
        l->device[i].zone = maybe_u16(r);
        skip(r, 'n'), skip(r, 'n'); /* batch_capacity, batch_wait_s */
    }
    l->agents = rows(r, AGENTS, &l->too_many);
    for (uint32_t i = 0; i < l->agents && !r->bad; i++) skip(r, 't'), l->agent[i].directed = flag(r);
    return !r->bad && r->at == r->end;
}

static bool read_observation(lab *l, reader *r) {
    skip(r, 'n'), skip(r, 'n'); /* step, now_s */
    l->frozen = flag(r);
    skip_column(r, 1); /* zone_frozen */
    COLUMN(r, 2, l->agents, l->agent[i].zone, maybe16(first, i));
    COLUMN(r, 2, l->agents, l->agent[i].walking_to, maybe16(first, i));
    skip_column(r, 8), skip_column(r, 2); /* arrives_s, role */
    COLUMN(r, 4, l->agents, l->agent[i].may, cell32(first, i));
    for (uint32_t left = count(r); left > 0 && !r->bad; left--) skip(r, 'n'), skip(r, 't'); /* refused */
    skip_column(r, 8); /* doors */
    COLUMN(r, 1, l->devices, l->device[i].status, choice(r, first, i, 4));
    COLUMN(r, 4, l->devices, l->device[i].free, cell32(first, i));
    COLUMN(r, 4, l->devices, l->device[i].queue, cell32(first, i));
    COLUMN(r, 4, l->devices, l->device[i].head, cell32(first, i));
    COLUMN(r, 1, l->devices, l->device[i].passes, choice(r, first, i, 2));
    skip_column(r, 1), skip_column(r, 8);                  /* control_due, busy_until_s */
    l->specimens = table(r, 4, SPECIMENS, &l->too_many); /* key */
    COLUMN(r, 1, l->specimens, l->specimen[i].stage, choice(r, first, i, 17));
    skip_column(r, 1), skip_column(r, 4);                    /* priority, panel */
    skip_column(r, 8), skip_column(r, 8), skip_column(r, 8); /* arrival_s, since_s, deadline_s */
    COLUMN(r, 2, l->specimens, l->specimen[i].device, maybe16(first, i));
    uint32_t able;
    const uint8_t *devices = cells(r, 2, &able);
    if (able > ABLE) l->too_many = r->bad = true;
    for (uint32_t i = 0; i < able && !r->bad; i++)
        if ((l->able[i] = (uint16_t)cell16(devices, i)) >= l->devices) r->bad = true;
    COLUMN(r, 4, l->specimens, l->specimen[i].able_end, cell32(first, i));
    for (uint32_t i = 0, begin = 0; i < l->specimens && !r->bad; begin = l->specimen[i++].able_end)
        if (l->specimen[i].able_end < begin || l->specimen[i].able_end > able) r->bad = true;
    l->runs = table(r, 4, ROWS, &l->too_many); /* key */
    COLUMN(r, 2, l->runs, l->run_device[i], cell16(first, i));
    for (uint32_t i = 0; i < l->runs && !r->bad; i++) if (l->run_device[i] >= l->devices) r->bad = true;
    skip_column(r, 4), skip_column(r, 8);      /* specimen, ended_s */
    l->results = table(r, 4, ROWS, &l->too_many); /* key */
    skip_column(r, 4), skip_column(r, 8);      /* specimen, filed_s */
    COLUMN(r, 1, l->results, l->result[i].held, choice(r, first, i, 2));
    COLUMN(r, 1, l->results, l->result[i].critical, choice(r, first, i, 2));
    COLUMN(r, 1, l->results, l->result[i].called, choice(r, first, i, 2));
    COLUMN(r, 1, l->results, l->result[i].releasable, choice(r, first, i, 2));
    skip_column(r, 4), skip_column(r, 8), skip_column(r, 1), skip_column(r, 1); /* consignments */
    skip_column(r, 4);                                                          /* transports */
    skip_column(r, 4), skip_column(r, 1), skip_column(r, 8);                    /* tokens */
    skip_column(r, 4), skip_column(r, 1);                                       /* stockouts */
    return !r->bad && r->at == r->end;
}

static void add(lab *l, enum act act, uint32_t zone, uint32_t specimen, uint32_t device, uint32_t object) {
    if (l->jobs < JOBS) l->job[l->jobs++] = (job){act, zone, specimen, device, object, false};
}

/* A job for each specimen of a stage, at most `most`. */
static void add_stage(lab *l, enum stage stage, uint32_t most, enum act act, uint32_t zone, uint32_t device) {
    for (uint32_t i = 0; i < l->specimens && most > 0; i++)
        if (l->specimen[i].stage == stage) add(l, act, zone, i, device, NONE), most--;
}

static bool any(const lab *l, enum stage stage, uint32_t device) {
    for (uint32_t i = 0; i < l->specimens; i++)
        if (l->specimen[i].stage == stage && (device == NONE || l->specimen[i].device == device)) return true;
    return false;
}

/* All work of a step, what is nearer to a release first; within that as the observation has it. */
static void list_jobs(lab *l) {
    l->jobs = 0;
    for (uint32_t i = 0; i < l->results; i++) {
        if (l->result[i].critical && l->result[i].called) add(l, ACK_CRITICAL_RESULT, NONE, NONE, NONE, i);
        else if (l->result[i].releasable && !l->result[i].held) add(l, RELEASE_RESULT, NONE, NONE, NONE, i);
        else if (l->result[i].critical && !l->result[i].releasable) add(l, NOTIFY_CRITICAL_RESULT, NONE, NONE, NONE, i);
    }
    for (uint32_t d = 0; d < l->devices; d++) {
        bool starts = l->device[d].status == 0 && l->device[d].free > 0 && l->device[d].passes;
        if (starts && l->device[d].use == MEASURE && l->device[d].head != NONE)
            add(l, START_RUN, l->device[d].zone, NONE, d, NONE);
    }
    for (uint32_t i = 0; i < l->runs; i++) add(l, GENERATE_RESULT, l->device[l->run_device[i]].zone, NONE, NONE, i);
    for (uint32_t i = 0; i < l->specimens; i++) {
        if (l->specimen[i].stage != READY) continue;
        for (uint32_t n = i == 0 ? 0 : l->specimen[i - 1].able_end; n < l->specimen[i].able_end; n++) {
            uint32_t d = l->able[n];
            if (l->device[d].status > 1 || !l->device[d].passes || l->device[d].queue >= 2) continue;
            l->device[d].queue++;
            add(l, QUEUE_RUN, l->device[d].zone, i, d, NONE);
            break;
        }
    }
    for (uint32_t d = 0; d < l->devices; d++) {
        bool works = l->device[d].status < 2 && l->device[d].free > 0;
        /* A batch is left for the program to fill: all that is spun, or all that waits. */
        if (l->device[d].use == SPIN && any(l, SPUN, d)) add(l, CENTRIFUGE_END, l->device[d].zone, NONE, d, NONE);
        else if (l->device[d].use == SPIN && works && any(l, ACCEPTED, NONE))
            add(l, CENTRIFUGE_START, l->device[d].zone, NONE, d, NONE);
        if (l->device[d].use == ALIQUOT && works) add_stage(l, SEPARATED, 1, ALIQUOT_CREATE, l->device[d].zone, d);
    }
    add_stage(l, CHECKED, NONE, ACCEPT_SPECIMEN, l->reception, NONE);
    add_stage(l, ACCESSIONED, NONE, CHECK_ACCEPTANCE_RULES, l->reception, NONE);
    add_stage(l, ARRIVED, NONE, CREATE_ACCESSION, l->reception, NONE);
}

/* The first job that this agent may do where it stands, else the first that it may walk to; NULL for none. */
static job *job_for(lab *l, uint32_t agent) {
    job *elsewhere = NULL;
    for (uint32_t i = 0; i < l->jobs; i++) {
        job *j = &l->job[i];
        if (j->taken || !(l->agent[agent].may >> j->act & 1)) continue;
        if (j->zone == NONE || j->zone == l->agent[agent].zone) return j;
        if (elsewhere == NULL) elsewhere = j;
    }
    return elsewhere;
}

static void put_choices(lab *l, writer *w, bool only_count) {
    uint32_t choices = 0;
    for (uint32_t i = 0; i < l->jobs; i++) l->job[i].taken = false;
    for (uint32_t a = 0; a < l->agents; a++) {
        bool idle = l->agent[a].zone != NONE && l->agent[a].walking_to == NONE && !l->frozen;
        job *j = l->agent[a].directed && idle ? job_for(l, a) : NULL;
        if (j == NULL) continue;
        j->taken = true;
        choices++;
        if (only_count) continue;
        bool walks = j->zone != NONE && j->zone != l->agent[a].zone;
        put(w, a);
        put(w, walks ? MOVE : j->act);
        if (walks || j->specimen == NONE) put(w, 0);
        else put(w, 1), put(w, j->specimen);
        put_maybe(w, walks ? NONE : j->device);
        put_maybe(w, walks ? j->zone : j->object);
    }
    if (only_count) put(w, choices);
}

/* Answers a Create. */
static void create(lab *l, const uint8_t *request, size_t len) {
    reader r = {request, request + len, false};
    l->created = read_site(l, &r);
    l->reply.len = 0;
    if (l->created) put(&l->reply, 0);
    else if (l->too_many) put_problem(&l->reply, SITE, "the site is larger than this method has room for");
    else put_problem(&l->reply, MESSAGE, "these bytes are no Create");
}

/* Answers an Observation. */
static void decide(lab *l, const uint8_t *request, size_t len) {
    reader r = {request, request + len, false};
    l->reply.len = 0;
    if (!l->created) put_problem(&l->reply, MESSAGE, "nothing was created yet");
    else if (read_observation(l, &r)) {
        put(&l->reply, 0);
        list_jobs(l);
        put_choices(l, &l->reply, true);
        put_choices(l, &l->reply, false);
        put(&l->reply, 0); /* intents: it states none */
    } else if (l->too_many) put_problem(&l->reply, SITE, "there is more work than this method has room for");
    else put_problem(&l->reply, MESSAGE, "these bytes are no Observation of this site");
}

/* ---- In and out ---- */

#ifdef __wasm__

#define EXPORT(name) __attribute__((export_name(#name)))

static lab the_lab;
static writer manifest;
static uint8_t the_request[1024 * 1024];

static uint64_t place(const writer *w) { return (uint64_t)(uintptr_t)w->bytes << 32 | w->len; }

EXPORT(labtrust_contract) uint64_t labtrust_contract(void) {
    manifest.len = 0;
    put_manifest(&manifest);
    return place(&manifest);
}
/* There is one request at a time. */
EXPORT(labtrust_alloc) uint32_t labtrust_alloc(uint32_t len) {
    if (len > sizeof the_request) __builtin_trap();
    return (uint32_t)(uintptr_t)the_request;
}
EXPORT(labtrust_free) void labtrust_free(uint32_t address, uint32_t len) { (void)address, (void)len; }
EXPORT(labtrust_create) uint64_t labtrust_create(uint32_t address, uint32_t len) {
    create(&the_lab, (const uint8_t *)(uintptr_t)address, len);
    return place(&the_lab.reply);
}
EXPORT(labtrust_decide) uint64_t labtrust_decide(uint32_t address, uint32_t len) {
    decide(&the_lab, (const uint8_t *)(uintptr_t)address, len);
    return place(&the_lab.reply);
}

#else

#include "labtrust_plugin.h"
#include <stdlib.h>

/* An answer lies in its instance until the next one, so there is nothing to give back. */
static labtrust_buf answer(lab *l) { return (labtrust_buf){l->reply.bytes, l->reply.len, 0}; }

static uint32_t native_create(labtrust_bytes request, void **instance, labtrust_buf *reply) {
    lab *l = calloc(1, sizeof *l);
    if (l == NULL) return LABTRUST_PANIC;
    create(l, request.ptr, request.len);
    *instance = l;
    *reply = answer(l);
    return LABTRUST_OK;
}
static uint32_t native_decide(void *instance, labtrust_bytes request, labtrust_buf *reply) {
    decide(instance, request.ptr, request.len);
    *reply = answer(instance);
    return LABTRUST_OK;
}
static void native_destroy(void *instance) { free(instance); }
static void native_free_buf(labtrust_buf buf) { (void)buf; }

const labtrust_plugin *labtrust_plugin_v1(void) {
    static writer manifest;
    static labtrust_plugin table = {
        sizeof table, LABTRUST_CONTRACT_MAJOR, LABTRUST_CONTRACT_MINOR, 0, {manifest.bytes, 0},
        native_create, native_decide, native_destroy, native_free_buf,
    };
    if (table.manifest.len == 0) {
        put_manifest(&manifest);
        table.manifest.len = manifest.len;
    }
    return &table;
}

#endif
