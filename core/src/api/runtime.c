/* Startup and shutdown. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/handle.h"
#include "api/input.h"
#include "api/library.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "runtime/runtime.h"

/* Low byte major, high byte minor: 1.0, 1.1, 2.0. */
#define VERSION_HIGHEST 0x0002u

static int is_known(uint32_t version)
{
    return version == PEER_GRAPH_VERSION || version == 0x0101 || version == VERSION_HIGHEST;
}

static int is_absolute(const char *path)
{
    return path != NULL && path[0] == '/';
}

/* As the XDG Base Directory Specification says; it has relative paths ignored. */
static peer_status default_directory(char **directory_out)
{
    const char *base = getenv("XDG_DATA_HOME");
    const char *rest = "/peergraph";
    if (!is_absolute(base)) {
        base = getenv("HOME");
        rest = "/.local/share/peergraph";
    }
    if (!is_absolute(base))
        return peer__fail(E_ACCESSDENIED, "neither XDG_DATA_HOME nor HOME says where data can be kept");
    int length = snprintf(NULL, 0, "%s%s", base, rest);
    char *directory = peer__malloc((size_t)length + 1);
    if (directory == NULL)
        return peer__out_of_memory();
    snprintf(directory, (size_t)length + 1, "%s%s", base, rest);
    *directory_out = directory;
    return PEER_OK;
}

static peer_status read_options(const peer_startup_input *options, peer_startup_input *copy)
{
    *copy = (peer_startup_input)PEER_STARTUP_INPUT_INIT;
    if (options == NULL)
        return PEER_OK;
    PEER_TRY(peer__input_struct("options", options, sizeof(*copy), copy, sizeof(*copy)));
    if (copy->flags != 0)
        return peer__fail(E_INVALIDARG, "options.flags is 0x%" PRIx32 ", not 0", copy->flags);
    if (copy->data_directory != NULL && copy->data_directory[0] == '\0')
        return peer__fail(E_INVALIDARG, "options.data_directory is empty");
    return PEER_OK;
}

static peer_status start(struct api_runtime *runtime, const char *data_directory, uintptr_t *handle_out)
{
    char *directory = NULL;
    if (data_directory == NULL)
        PEER_TRY(default_directory(&directory));
    peer_status status = peer__runtime_start(directory != NULL ? directory : data_directory, &runtime->driver);
    peer__free(directory);
    PEER_TRY(peer__error_of_files(status));
    peer__watch_forks();
    status = peer__handle_create(runtime, NULL, handle_out);
    if (status < 0)
        runtime->driver->stop(runtime->driver, 0);
    return status;
}

peer_status peer_startup(uint32_t version, const peer_startup_input *options, peer_version_data *version_out,
                         peer_runtime **runtime_out)
{
    peer_startup_input copy;
    uintptr_t handle;
    PEER_TRY(peer__check_not_forked());
    PEER_TRY(peer__input_not_null("runtime_out", runtime_out));
    PEER_TRY(read_options(options, &copy));
    if (!is_known(version))
        return peer__fail(PEER_E_UNSUPPORTED_VERSION, "version 0x%04" PRIx32 " is not known", version);
    struct api_runtime *runtime = peer__thing_create(HANDLE_RUNTIME, sizeof(*runtime));
    if (runtime == NULL)
        return peer__out_of_memory();
    peer_status status = start(runtime, copy.data_directory, &handle);
    if (status >= 0) {
        *runtime_out = (peer_runtime *)handle;
        if (version_out != NULL)
            *version_out = (peer_version_data){version, VERSION_HIGHEST};
    }
    peer__thing_release(runtime);
    return status >= 0 ? PEER_OK : status;
}

peer_status peer_shutdown(peer_runtime *runtime)
{
    PEER_TRY(peer__check_process());
    return peer__runtime_end(HANDLE_RUNTIME, runtime);
}
