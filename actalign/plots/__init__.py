"""Figures fit for print: functions that take data and ``ax`` and return ``ax``, one file per figure."""

from actalign.plots.ablation import ablation, ablation_height_in, differences, ladder
from actalign.plots.error_analysis import error_analysis, error_analysis_height_in
from actalign.plots.figure import COLUMN_WIDTH_IN, PAGE_WIDTH_IN, new_figure, save_figure, style, width_in
from actalign.plots.heat_map import MapPanel, candidates, candidates_height_in, heat_map, heat_map_with_frames
from actalign.plots.main_results import main_results, main_results_height_in
from actalign.plots.map_table import map_table
from actalign.plots.method import MethodExample, followed_step, method, method_height_in
from actalign.plots.order import accuracy_over_order, order_height_in, order_panels
from actalign.plots.prompt_styles import prompt_styles, prompt_styles_height_in
from actalign.plots.scales import color_bar, color_scale
from actalign.plots.script_flow import script_flow, script_flow_height_in
from actalign.plots.smoothing import accuracy_over_width, smoothing, smoothing_height_in
from actalign.plots.step_labels import letters_a_line
from actalign.plots.teaser import teaser, teaser_height_in
from actalign.plots.tsne import tsne, tsne_pair, tsne_pair_height_in
from actalign.plots.vague_script import MOST_RANKED, ScriptPanel, ranking, vague_script, vague_script_height_in

__all__ = [
    "COLUMN_WIDTH_IN", "MOST_RANKED", "PAGE_WIDTH_IN", "MapPanel", "MethodExample", "ScriptPanel", "ablation",
    "ablation_height_in", "accuracy_over_order", "accuracy_over_width", "candidates", "candidates_height_in",
    "color_bar", "color_scale", "differences", "error_analysis", "error_analysis_height_in", "followed_step",
    "heat_map", "heat_map_with_frames", "ladder", "letters_a_line", "main_results", "main_results_height_in",
    "map_table", "method", "method_height_in", "new_figure", "order_height_in", "order_panels", "prompt_styles",
    "prompt_styles_height_in", "ranking", "save_figure", "script_flow", "script_flow_height_in",
    "smoothing", "smoothing_height_in", "style", "teaser", "teaser_height_in", "tsne", "tsne_pair",
    "tsne_pair_height_in", "vague_script", "vague_script_height_in", "width_in",
]  # fmt: skip
