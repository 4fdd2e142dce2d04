"""Getting the videos of ActionAtlas: through yt-dlp, or from a folder of videos that are there already.

A video counts as fetched when every frame of its clips' windows was decoded; until then it lies in ``parts/``, where
nothing else looks. See ``actalign.datasets.actionatlas`` for what is where.
"""
