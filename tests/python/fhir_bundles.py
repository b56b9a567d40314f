"""Reads FHIR bundles with fhir.resources: as R4B with a new release, as R4 with an old one.

    python fhir_bundles.py R4B|R4 FILE...

What is read has to be what was written: a field that the model does not know, or a code outside of a required value
set, is refused by it. Every result has to be of a specimen, and only released ones may be final.
"""

import json
import sys


def read(release, document):
    if release == "R4B":
        from fhir.resources.R4B.bundle import Bundle

        return json.loads(Bundle.model_validate(document).model_dump_json())
    from fhir.resources.bundle import Bundle

    return json.loads(Bundle.parse_obj(document).json())


def main(release, paths):
    for path in paths:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        entries = read(release, document).get("entry", [])
        kinds = [entry["resource"]["resourceType"] for entry in entries]
        assert len(entries) == len(document.get("entry", [])), path
        for kind in ("Specimen", "Observation", "DiagnosticReport"):
            assert kind in kinds, f"{path} has no {kind}"
        broken = json.loads(json.dumps(document))
        broken["entry"][0]["resource"]["receivedTime"] = "yesterday"
        try:
            read(release, broken)
        except Exception:  # Whatever the release raises.
            pass
        else:
            raise AssertionError(f"{release} does not notice a broken time")
        print(f"{release}: {path}: {len(entries)} resources")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
