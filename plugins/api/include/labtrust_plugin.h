/* A LabTrust plugin as a shared library. The messages are those of contract.md; this file says how they cross.
 *
 * The program looks at labtrust_plugin_v1 only. The table is never changed, the library never unloaded. An instance is
 * used by one thread at a time, not always the same; several may be at work at once. No call may leave by an exception
 * or longjmp. */
#ifndef LABTRUST_PLUGIN_H
#define LABTRUST_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LABTRUST_CONTRACT_MAJOR 1u
#define LABTRUST_CONTRACT_MINOR 0u
/* What a call returns; anything else is a failure. */
#define LABTRUST_OK 0u      /* the reply is the contract's message; it may be a Problem */
#define LABTRUST_PROBLEM 1u /* no message could be made; the reply is a sentence in UTF-8 that says why */
#define LABTRUST_PANIC 2u   /* the plugin is broken; the reply is a sentence in UTF-8 that says how */

/* Somebody else's bytes, to be read during the call. ptr may be anything where len is 0. */
typedef struct {
    const uint8_t *ptr;
    size_t len;
} labtrust_bytes;

/* The plugin's bytes. The program reads them and gives them back to free_buf, once and unchanged, unless ptr is null. */
typedef struct {
    uint8_t *ptr;
    size_t len;
    size_t cap; /* the plugin's own; the program does not look at it */
} labtrust_buf;

/* The first four fields never change. Fields may be added at the end, which is what struct_size is for. */
typedef struct {
    uint32_t struct_size; /* sizeof(labtrust_plugin) */
    uint32_t contract_major;
    uint32_t contract_minor;
    uint32_t reserved; /* 0 */
    labtrust_bytes manifest; /* the message Manifest; lives as long as the table */
    /* Begins an episode: Create -> CreateReply. What it puts into *instance, unless null, goes to destroy in the end,
     * whatever it returns. *instance and *reply are zero before the call. */
    uint32_t (*create)(labtrust_bytes request, void **instance, labtrust_buf *reply);
    /* One step: Observation -> DecideReply. *reply is zero before the call. */
    uint32_t (*decide)(void *instance, labtrust_bytes request, labtrust_buf *reply);
    void (*destroy)(void *instance);
    void (*free_buf)(labtrust_buf buf);
} labtrust_plugin;

/* The table. Called once for each loading; null says that the plugin cannot be used. */
const labtrust_plugin *labtrust_plugin_v1(void);

#ifdef __cplusplus
}
#endif

#endif
