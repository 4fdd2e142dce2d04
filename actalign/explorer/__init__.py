"""The interactive view of one clip: choose, slide, click, type, and see the ranking move.

``explore`` is all a notebook needs. What is shown is computed in ``session`` and drawn in ``picture``; only
``controls``, ``view_widget`` and ``live`` know widgets.
"""

from actalign.explorer.live import Explorer, explore
from actalign.explorer.picture import static_picture
from actalign.explorer.session import Session
from actalign.explorer.view import VARIANTS, Settings, View

__all__ = ["VARIANTS", "Explorer", "Session", "Settings", "View", "explore", "static_picture"]
