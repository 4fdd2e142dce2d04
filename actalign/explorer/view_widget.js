// Shows the explorer's picture, frame, ranking and status line, and turns clicks and arrow keys into a chosen cell.

// JupyterLab leaves the keys alone of an element in focus with this attribute; on others x would cut the cell.
const OWN_KEYS = "data-lm-suppress-shortcuts";

function element(tag, className, attributes = {}) {
  const made = document.createElement(tag);
  made.className = className;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

// Keeps an element's src on the bytes of a trait, and frees the bytes shown before.
function showBytes(target, bytes, type) {
  const before = target.dataset.url;
  if (bytes && bytes.byteLength) {
    target.dataset.url = URL.createObjectURL(new Blob([bytes], { type }));
    target.src = target.dataset.url;
    target.hidden = false;
  } else {
    delete target.dataset.url;
    target.removeAttribute("src");
    target.hidden = true;
  }
  if (before) setTimeout(() => URL.revokeObjectURL(before), 1000);
}

// A slider's handle, which has the focus, gets the name that stands beside it.
function nameSliders(explorer) {
  for (const slider of explorer.querySelectorAll(".widget-slider")) {
    const name = slider.querySelector("label")?.textContent;
    const handle = slider.querySelector(".noUi-handle");
    if (name && handle && handle.getAttribute("aria-label") !== name) handle.setAttribute("aria-label", name);
  }
}

function build(el) {
  const parts = {
    status: element("div", "actalign-status", { role: "status", "aria-live": "polite" }),
    notes: element("div", "actalign-notes", { role: "status", "aria-live": "polite" }),
    problem: element("div", "actalign-problem", { role: "alert" }),
    columns: element("div", "actalign-columns"),
    stage: element("div", "actalign-map", {
      tabindex: "0",
      role: "application",
      "aria-roledescription": "map of steps over frames",
    }),
    image: element("img", "actalign-picture", { draggable: "false" }),
    labels: element("div", "actalign-labels", { "aria-hidden": "true" }),
    line: element("div", "actalign-line"),
    playhead: element("div", "actalign-playhead"),
    cursor: element("div", "actalign-cursor"),
    side: element("div", "actalign-side"),
    ranking: element("table", "actalign-ranking"),
    frame: element("img", "actalign-frame", { alt: "" }),
    cellText: element("div", "actalign-cell", { role: "status", "aria-live": "polite" }),
    player: element("div", "actalign-player"),
    video: element("video", "actalign-video", { controls: "", loop: "", playsinline: "" }),
    videoText: element("div", "actalign-video-text"),
  };
  parts.video.muted = true;
  parts.stage.append(parts.image, parts.labels, parts.line, parts.playhead, parts.cursor);
  parts.player.append(parts.video, parts.videoText);
  parts.side.append(parts.ranking, parts.frame, parts.cellText);
  parts.columns.append(parts.stage, parts.side);
  el.classList.add("actalign-view");
  el.append(parts.status, parts.notes, parts.problem, parts.columns, parts.player);
  return parts;
}

function showRanking(table, rows) {
  const body = element("tbody", "");
  for (const row of rows) {
    const line = element("tr", row.is_answer ? "actalign-answer" : "");
    const place = element("td", "actalign-place");
    place.textContent = row.place;
    const name = element("th", "actalign-name", { scope: "row", title: row.name });
    if (row.letter) {
      const letter = element("span", `actalign-letter actalign-letter-${row.letter}`, { "aria-label": `map ${row.letter}` });
      letter.textContent = row.letter;
      name.append(letter, " ");
    }
    const called = element("span", "actalign-class");
    called.textContent = row.name;
    name.append(called);
    if (row.is_answer) {
      const answer = element("span", "actalign-tag");
      answer.textContent = "answer";
      name.append(" ", answer);
    }
    const track = element("div", `actalign-bar actalign-bar-${row.letter || "other"}`, { "aria-hidden": "true" });
    track.style.width = `${Math.abs(row.share) * 100}%`;
    track.classList.toggle("actalign-below", row.share < 0);
    name.append(track);
    const score = element("td", "actalign-score");
    score.textContent = row.score;
    line.append(place, name, score);
    body.append(line);
  }
  const caption = element("caption", "");
  caption.textContent = "Candidates by score";
  table.replaceChildren(caption, body);
}

function render({ model, el }) {
  const parts = build(el);
  const percent = (share) => `${share * 100}%`;

  const limits = () => ({ places: model.get("places"), edges: model.get("edges"), frames: model.get("edges").length - 1 });

  function inside([map, row, column]) {
    const { places, frames } = limits();
    const place = places[map];
    return place !== undefined && row < place.rows && column < frames;
  }

  function showCursor() {
    const cell = model.get("cell");
    const { places, edges } = limits();
    const visible = inside(cell);
    const chosen = visible ? places.slice(0, cell[0]).reduce((sum, place) => sum + place.rows, cell[1]) : -1;
    [...parts.labels.children].forEach((label, n) => label.classList.toggle("actalign-chosen", n === chosen));
    parts.cursor.hidden = parts.line.hidden = !visible;
    if (!visible) return;
    const [map, row, column] = cell;
    const place = places[map];
    const last = places[places.length - 1];
    const left = place.left + place.width * edges[column];
    const width = place.width * (edges[column + 1] - edges[column]);
    Object.assign(parts.cursor.style, {
      left: percent(left), width: percent(width),
      top: percent(place.top + (place.height * row) / place.rows), height: percent(place.height / place.rows),
    });
    Object.assign(parts.line.style, {
      left: percent(left + width / 2), top: percent(places[0].top), height: percent(last.top + last.height - places[0].top),
    });
  }

  // The steps stand beside their rows; one that is too long for its row is cut, and whole in its tooltip.
  function showLabels() {
    const { places } = limits();
    const made = [];
    model.get("steps").forEach((steps, map) => steps.forEach((step, row) => {
      const place = places[map];
      if (place === undefined) return;
      const label = element("div", "actalign-label", { title: step });
      const text = element("span", "");
      text.textContent = `${row + 1}. ${step}`;
      label.append(text);
      Object.assign(label.style, {
        top: percent(place.top + (place.height * row) / place.rows), height: percent(place.height / place.rows),
        width: percent(place.left),
      });
      made.push(label);
    }));
    parts.labels.replaceChildren(...made);
    showCursor();
  }

  function choose(cell, seek = true) {
    if (!inside(cell)) return;
    model.set("cell", cell);
    model.save_changes();
    if (seek && !parts.video.hidden && parts.video.readyState > 0) {
      const times = model.get("times_s");
      parts.video.currentTime = times[cell[2]] - times[0];
    }
  }

  // A click over a frame or on a step counts; what it does not name, row or frame, stays where it was.
  function clicked(event) {
    const box = parts.image.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width;
    const y = (event.clientY - box.top) / box.height;
    const { places, edges, frames } = limits();
    const map = places.findIndex((p) => y >= p.top && y <= p.top + p.height);
    const place = places[Math.max(map, 0)];
    const along = (x - place.left) / place.width;
    if (along >= 1) return;
    const column = along < 0 ? model.get("cell")[2] : Math.min(frames - 1, Math.max(0, edges.findIndex((edge) => edge > along) - 1));
    const [oldMap, oldRow] = model.get("cell");
    if (map < 0) return choose([Math.min(oldMap, places.length - 1), oldRow, column]);
    choose([map, Math.min(place.rows - 1, Math.floor(((y - place.top) / place.height) * place.rows)), column]);
  }

  function pressed(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { places, frames } = limits();
    let [map, row, column] = model.get("cell");
    const far = event.shiftKey ? 10 : 1;
    if (event.key === "ArrowRight") column = Math.min(frames - 1, column + far);
    else if (event.key === "ArrowLeft") column = Math.max(0, column - far);
    else if (event.key === "Home") column = 0;
    else if (event.key === "End") column = frames - 1;
    else if (event.key === "ArrowDown") {
      if (row + 1 < places[map].rows) row += 1;
      else if (map + 1 < places.length) [map, row] = [map + 1, 0];
    } else if (event.key === "ArrowUp") {
      if (row > 0) row -= 1;
      else if (map > 0) [map, row] = [map - 1, places[map - 1].rows - 1];
    } else return;
    event.preventDefault();
    event.stopPropagation();
    choose([map, row, column]);
  }

  // While the clip plays a line moves over the maps.
  function follow() {
    const times = model.get("times_s");
    const { places, edges } = limits();
    const playing = !parts.video.hidden && times.length > 0 && places.length > 0;
    parts.playhead.hidden = !playing;
    if (!playing) return;
    const now = times[0] + parts.video.currentTime;
    let column = times.findIndex((time) => time > now + 1e-6) - 1;
    if (column < 0) column = times.length - 1;
    const middle = (edges[column] + edges[column + 1]) / 2;
    const last = places[places.length - 1];
    Object.assign(parts.playhead.style, {
      left: percent(places[0].left + places[0].width * middle), top: percent(0),
      height: percent(last.top + last.height),
    });
    if (!parts.video.paused) requestAnimationFrame(follow);
  }

  const shows = {
    png: () => showBytes(parts.image, model.get("png"), "image/png"),
    frame: () => showBytes(parts.frame, model.get("frame"), "image/png"),
    alt: () => {
      parts.image.alt = model.get("alt");
      parts.stage.setAttribute("aria-label", model.get("alt"));
    },
    status: () => { parts.status.textContent = model.get("status"); },
    notes: () => { parts.notes.textContent = model.get("notes"); },
    problem: () => {
      parts.problem.textContent = model.get("problem");
      el.classList.toggle("actalign-stale", model.get("problem") !== "");
    },
    ranking: () => showRanking(parts.ranking, model.get("ranking")),
    cell_text: () => {
      parts.cellText.textContent = model.get("cell_text");
      parts.frame.alt = model.get("cell_text");
    },
    video: () => {
      showBytes(parts.video, model.get("video"), "video/mp4");
      parts.player.hidden = parts.video.hidden;
      if (!parts.video.hidden) parts.video.play().catch(() => {}); // where a browser forbids it, the controls are there
      follow();
    },
    video_text: () => { parts.videoText.textContent = model.get("video_text"); },
    places: showLabels,
    steps: showLabels,
    edges: showCursor,
    cell: showCursor,
  };
  for (const [trait, show] of Object.entries(shows)) {
    model.on(`change:${trait}`, show);
    show();
  }
  parts.stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    // Words still open in the text box belong to the step chosen before. The focus itself comes with the click.
    if (document.activeElement !== parts.stage) document.activeElement?.blur();
    clicked(event);
    const drag = (move) => clicked(move);
    parts.stage.setPointerCapture(event.pointerId);
    parts.stage.addEventListener("pointermove", drag);
    parts.stage.addEventListener("pointerup", () => parts.stage.removeEventListener("pointermove", drag), { once: true });
  });
  parts.stage.addEventListener("keydown", pressed);
  // The window hears of a key before JupyterLab does. Those with Ctrl or the like stay JupyterLab's.
  const own = (event) => {
    if (!event.target.closest?.(".actalign-explorer")) return;
    event.target.toggleAttribute(OWN_KEYS, !(event.ctrlKey || event.metaKey || event.altKey));
  };
  window.addEventListener("keydown", own, true);
  // Once this widget has a size, the explorer around it is there.
  const watch = new ResizeObserver(() => {
    const explorer = el.closest(".actalign-explorer");
    if (!explorer) return;
    nameSliders(explorer);
    controls.observe(explorer, { childList: true, subtree: true });
    watch.disconnect();
  });
  const controls = new MutationObserver(() => nameSliders(el.closest(".actalign-explorer") ?? el));
  watch.observe(el);
  parts.video.addEventListener("loadedmetadata", () => parts.player.scrollIntoView({ block: "nearest" }));
  for (const name of ["play", "seeked", "pause", "timeupdate"]) parts.video.addEventListener(name, follow);
  return () => {
    window.removeEventListener("keydown", own, true);
    watch.disconnect();
    controls.disconnect();
    for (const [trait, show] of Object.entries(shows)) model.off(`change:${trait}`, show);
    for (const shown of [parts.image, parts.frame, parts.video]) showBytes(shown, null, "");
  };
}

export default { render };
