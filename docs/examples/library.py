import peergraph

# example: peer_startup
with peergraph.open_runtime("film-club") as runtime:
    print(runtime.closed)  # False
# end

runtime = peergraph.open_runtime("film-club")
# example: shutdown
runtime.close()  # a with statement does it by itself
runtime.shutdown()  # its name in C; nothing happens the second time
# end

# example: peer_last_error_message
try:
    peergraph.open_runtime("/proc/nobody")
except peergraph.PeerError as error:
    print(error.code)  # -2147024891
    print(error.name)  # E_ACCESSDENIED
    print(error.message)
# end

# example: peer_version
print(peergraph.library_version(), peergraph.__version__)
# end
