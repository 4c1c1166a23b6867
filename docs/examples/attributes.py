from datetime import datetime, timezone

from peergraph import Attributes, AttributeType
from scene import HOUR, NOTE, open_scene

with open_scene() as scene:
    graph = scene.alice
    # example: peer_attributes_create
    shown = datetime(2026, 1, 1, tzinfo=timezone.utc)
    note_id = graph.add_record(
        type=NOTE,
        attributes={"title": "Stalker", "minutes": 161, "shown": shown},
        lifetime=HOUR,
    )
    # end

    # example: peer_attributes_parse
    attributes = graph.get_record(note_id).attributes
    print(attributes["title"], attributes["minutes"], attributes["shown"])
    for name, value in attributes.items():
        print(name, value)
    # end

    # example: several of a name
    attributes = Attributes([("tag", "slow"), ("tag", "wet")])
    print(attributes.getall("tag"))  # ["slow", "wet"]
    print(attributes.items_all())
    # end

    # example: attribute xml
    attributes = Attributes.parse(Attributes({"title": "Mirror"}).xml)
    print(attributes.xml)
    # end

    # example: types of attributes
    print(AttributeType.DATE)  # a datetime; int and str are the others
    # end
