#include "scene.h"

int main(void)
{
    /* example: peer_startup peer_shutdown */
    peer_startup_input options = PEER_STARTUP_INPUT_INIT;
    peer_version_data version;
    peer_runtime *runtime;
    peer_status status;

    options.data_directory = "film-club";
    status = peer_startup(PEER_GRAPH_VERSION, &options, &version, &runtime);
    if (status < 0) {
        fprintf(stderr, "%s\n", peer_last_error_message());
        return 1;
    }
    printf("graphing %u.%u\n", version.version & 0xff, version.version >> 8);
    peer_shutdown(runtime);
    /* end */

    /* example: peer_last_error_message peer_status_name peer_status_text */
    status = peer_startup(0x0700, NULL, NULL, &runtime);
    printf("%s\n", peer_status_name(status)); /* PEER_E_UNSUPPORTED_VERSION */
    printf("%s\n", peer_status_text(status)); /* the version is not supported */
    printf("%s\n", peer_last_error_message());
    /* end */
    assert(status == PEER_E_UNSUPPORTED_VERSION);

    /* example: peer_version */
    printf("built for %#x, runs with %s\n", PEER_GRAPH_VERSION, peer_version());
    /* end */
    return 0;
}
