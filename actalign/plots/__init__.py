"""Figures fit for print: functions that take data and ``ax`` and return ``ax``, one file per figure."""

from actalign.plots.ablation import ablation, ablation_height_in, differences, ladder
from actalign.plots.figure import COLUMN_WIDTH_IN, PAGE_WIDTH_IN, new_figure, save_data, save_figure, style
from actalign.plots.heat_map import MapPanel, candidates, candidates_height_in, heat_map, heat_map_with_frames
from actalign.plots.main_results import main_results, main_results_height_in
from actalign.plots.scales import color_bar, color_scale
from actalign.plots.smoothing import accuracy_over_width, smoothing, smoothing_height_in
from actalign.plots.tsne import project_tsne, sport_silhouette, tsne, tsne_pair, tsne_pair_height_in
from actalign.plots.vague_script import ScriptPanel, ranking, vague_script, vague_script_height_in

__all__ = [
    "COLUMN_WIDTH_IN", "PAGE_WIDTH_IN", "MapPanel", "ScriptPanel", "ablation", "ablation_height_in",
    "accuracy_over_width", "candidates", "candidates_height_in", "color_bar", "color_scale", "differences",
    "heat_map", "heat_map_with_frames", "ladder", "main_results", "main_results_height_in", "new_figure",
    "project_tsne", "ranking", "save_data", "save_figure", "smoothing", "smoothing_height_in", "sport_silhouette",
    "style", "tsne", "tsne_pair", "tsne_pair_height_in", "vague_script", "vague_script_height_in",
]  # fmt: skip
