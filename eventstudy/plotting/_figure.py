"""The figure that drawing functions make where they are given no axes."""

from __future__ import annotations

import sys

from matplotlib.figure import Figure

__all__ = ["SharpFigure"]


class SharpFigure(Figure):
    """A figure that notebooks show with twice the pixels, as on paper and on sharp screens.

    Where the user has chosen a format (``%config InlineBackend.figure_formats``), that one is shown.
    """

    def _ipython_display_(self) -> None:
        backend = getattr(sys.modules.get("matplotlib_inline.config"), "InlineBackend", None)
        if backend is None or not backend.initialized() or backend.instance().figure_formats != {"png"}:
            raise NotImplementedError  # IPython then shows it as any figure
        draw = sys.modules["IPython.core.pylabtools"].retina_figure
        drawn = draw(self, base64=True, **backend.instance().print_figure_kwargs)
        if drawn is None:
            raise NotImplementedError  # an empty figure
        image, size = drawn
        shown = {"image/png": image, "text/plain": repr(self)}
        sys.modules["IPython.display"].publish_display_data(shown, {"image/png": size})
