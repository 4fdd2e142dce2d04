"""ActionAtlas: its table of questions, a manifest of what could be fetched, and both as a ``Dataset``.

What is on disk, below data/actionatlas::

    metadata.jsonl     the benchmark's rows as they were released, with the revision they came from
    ledger.jsonl       one line per clip that was fetched or failed, only ever appended to
    manifest.parquet   every row of the benchmark with its latest line of the ledger; made from the two above
    videos/            whole videos, <youtube_id>.<ext>; a clip is a window of one
    scripts/           <style>.json, see actalign.scripts

Fetching itself, which needs a video decoder and a network, is in ``actalign.fetching``.
"""
