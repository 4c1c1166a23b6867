#include "scene.h"

int main(void)
{
    struct scene scene = open_scene(0);
    peer_runtime *runtime = scene.bob_runtime;
    peer_graph *graph = scene.bob;

    add_note(graph, "hello");
    /* example: peer_graph_export_database peer_graph_import_database */
    check(peer_graph_export_database(graph, "film-club.backup"));
    check(peer_graph_close(graph));

    /* on another machine, or after its disk was lost */
    check(peer_graph_open(runtime, "film club", "bob", "restored", NULL, 0, NULL, &graph));
    check(peer_graph_import_database(graph, "film-club.backup"));
    check(peer_graph_connect(graph, NULL, "alice:5000", NULL));
    /* end */
    close_scene(&scene);
    return 0;
}
