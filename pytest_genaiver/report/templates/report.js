"use strict";
(() => {
  const [ID, VERDICT, PLACE, VALUES, INPUTS, EXPECTED, PIECES, BEFORE, NOW, OLD_TRACES, TRACES, NOTES] = [...Array(12).keys()];
  const PAGE = 500;
  const TONES = { broken: "bad", worse: "bad", suspect: "warn", better: "good" };
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (name) => document.getElementById(name);

  // Everything from the data becomes text, never markup.
  const make = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    for (const child of children) if (child !== null && child !== "") made.append(child);
    return made;
  };

  const state = { text: "", verdicts: new Set(), by: null, up: false, shown: PAGE };

  const theme = () => {
    const button = byId("theme"), word = button.firstElementChild, order = ["auto", "light", "dark"];
    const set = (name) => {
      word.textContent = name;
      if (name === "auto") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = name;
      try { localStorage.setItem("genaiver-theme", name); } catch { /* a file may have no storage */ }
    };
    let kept = null;
    try { kept = localStorage.getItem("genaiver-theme"); } catch { /* as above */ }
    set(order.includes(kept) ? kept : "auto");
    button.hidden = false;
    button.addEventListener("click", () => set(order[(order.indexOf(word.textContent) + 1) % 3]));
  };

  const searched = data.cases.map((one) => {
    const texts = [one[ID], one[INPUTS], one[EXPECTED], ...one[NOTES]];
    if (one[PIECES]) texts.push(one[PIECES].map((piece) => piece[1]).join(""));
    for (const repeat of [...one[BEFORE], ...one[NOW]]) texts.push(repeat[1], ...repeat[2].flat());
    return texts.filter(Boolean).join("\n").toLowerCase();
  });
  const valueOf = (one, metric) => one[VALUES].find((value) => value[0] === metric);

  const found = () => {
    const words = state.text.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = [...data.cases.keys()].filter((index) =>
      (!state.verdicts.size || state.verdicts.has(data.cases[index][VERDICT]))
      && words.every((word) => searched[index].includes(word)));
    if (state.by === null) return rows;
    const key = (index) => {
      const one = data.cases[index];
      if (state.by === "case") return one[ID];
      if (state.by === "verdict") return one[VERDICT];
      const value = valueOf(one, state.by);
      return value === undefined ? null : -value[3];
    };
    const keyed = rows.map((index) => [key(index), index]);
    // What has no value stands last, whichever way the others are sorted.
    keyed.sort(([a, i], [b, j]) => a === b ? i - j : a === null ? 1 : b === null ? -1 : (a < b ? -1 : 1) * (state.up ? 1 : -1));
    return keyed.map(([, index]) => index);
  };

  const shortId = (id) => {
    const end = id.search(/[[{]/), head = end < 0 ? id : id.slice(0, end), at = head.indexOf("::");
    return at < 0 ? [id, ""] : [id.slice(at + 2), id.slice(0, at)];
  };

  const output = (side, repeats, pieces, kind) => {
    const figure = make("figure", {}, make("figcaption", {}, side,
      repeats.length > 1 ? make("span", { class: "muted" }, ` (call ${repeats[0][0]} of ${repeats.length})`) : ""));
    const text = make("pre", { class: "text", tabindex: "0", "aria-label": `${side} output` });
    if (pieces) {
      for (const [what, piece] of pieces) {
        if (what === 0) text.append(piece);
        else if (what === kind) text.append(make(kind === 1 ? "del" : "ins", {}, piece));
      }
    } else if (repeats.length && repeats[0][1] !== null) text.append(repeats[0][1]);
    else return figure.append(make("p", { class: "muted none" }, "no output was recorded")), figure;
    figure.append(text);
    return figure;
  };

  const notes = (side, repeats) => {
    const list = make("dl", { class: "notes" });
    repeats.forEach((repeat, place) => {
      const which = repeats.length > 1 ? ` ${repeat[0]}` : "";
      if (place > 0 && repeat[1] !== null) {
        list.append(make("dt", {}, `${side}${which}: output`), make("dd", { class: "text" }, repeat[1]));
      }
      for (const [name, text] of repeat[2]) {
        list.append(make("dt", {}, `${side}${which}: ${name}`), make("dd", { class: "text" }, text));
      }
    });
    return list.childElementCount ? list : "";
  };

  const traces = (side, ids) => {
    if (!ids.length) return "";
    const line = make("p", { class: "place" }, make("span", { class: "muted" }, `traces, ${side}: `));
    ids.slice(0, 50).forEach((id, place) => {
      if (place) line.append(", ");
      line.append(data.traces
        ? make("a", { href: data.traces + encodeURIComponent(id), target: "_blank", rel: "noopener noreferrer" }, id)
        : make("code", {}, id));
    });
    return line;
  };

  const details = (one, columns) => {
    const cell = make("td", { colspan: columns });
    const scores = make("div", { class: "scores" });
    for (const [metric, before, now, worse] of one[VALUES]) {
      scores.append(make("span", {}, make("span", { class: "muted" }, `${data.metrics[metric]} `),
        make("b", { class: worse > 0 ? "worse" : worse < 0 ? "better" : "" }, before === "-" ? now : `${before} \u2192 ${now}`)));
    }
    cell.append(make("p", { class: "muted place" }, one[ID] + (one[PLACE] ? ` \u00b7 ${one[PLACE]}` : "")), scores);
    for (const [title, text] of [["Inputs", one[INPUTS]], ["Expectations", one[EXPECTED]]]) {
      if (text !== null) cell.append(make("h3", {}, title), make("pre", { class: "text" }, text));
    }
    cell.append(make("div", { class: "sides-by-side" },
      output("baseline", one[BEFORE], one[PIECES], 1), output("current", one[NOW], one[PIECES], 2)));
    cell.append(notes("baseline", one[BEFORE]), notes("current", one[NOW]));
    for (const note of one[NOTES]) cell.append(make("p", { class: "text" }, note));
    cell.append(traces("baseline", one[OLD_TRACES]), traces("current", one[TRACES]));
    return make("tr", { class: "details" }, cell);
  };

  const row = (index, columns) => {
    const one = data.cases[index], verdict = data.verdicts[one[VERDICT]], [name, path] = shortId(one[ID]);
    const button = make("button", { type: "button", class: "open", "aria-expanded": "false" },
      make("code", {}, name, path ? make("small", {}, ` ${path}`) : ""));
    const made = make("tr", { class: "row" }, make("td", {}, button),
      make("td", {}, make("span", { class: `pill ${TONES[verdict] || "plain"}` }, verdict)));
    for (let metric = 0; metric < data.columns; metric += 1) {
      const value = valueOf(one, metric);
      const text = value === undefined ? "" : value[1] === "-" || value[1] === value[2] ? value[2] : `${value[1]} \u2192 ${value[2]}`;
      const tone = value === undefined || value[3] === 0 ? "" : value[3] > 0 ? " worse" : " better";
      made.append(make("td", { class: `n${value && value[1] !== value[2] ? tone : ""}`, "data-label": data.metrics[metric] }, text));
    }
    button.addEventListener("click", () => {
      const open = button.getAttribute("aria-expanded") === "true";
      button.setAttribute("aria-expanded", String(!open));
      if (open) made.nextElementSibling.remove();
      else made.after(details(one, columns));
    });
    return made;
  };

  const draw = () => {
    const rows = found(), body = byId("table").tBodies[0], columns = 2 + data.columns;
    body.replaceChildren(...rows.slice(0, state.shown).map((index) => row(index, columns)));
    byId("found").textContent = `${rows.length.toLocaleString("en")} of ${data.cases.length.toLocaleString("en")} cases`;
    const more = byId("more");
    more.hidden = rows.length <= state.shown;
    more.textContent = `Show ${Math.min(PAGE, rows.length - state.shown)} more`;
  };

  const head = () => {
    const line = make("tr");
    const names = [["case", "case"], ["verdict", "verdict"]];
    for (let metric = 0; metric < data.columns; metric += 1) names.push([metric, data.metrics[metric]]);
    for (const [by, name] of names) {
      const button = make("button", { type: "button" }, name);
      const cell = make("th", { scope: "col", class: typeof by === "number" ? "n" : "" }, button);
      button.addEventListener("click", () => {
        state.up = state.by === by ? !state.up : true;
        state.by = by;
        for (const other of line.cells) other.removeAttribute("aria-sort");
        cell.setAttribute("aria-sort", state.up ? "ascending" : "descending");
        draw();
      });
      line.append(cell);
    }
    byId("table").tHead.append(line);
  };

  const chips = () => {
    data.verdicts.forEach((verdict, index) => {
      const count = data.cases.filter((one) => one[VERDICT] === index).length;
      if (!count) return;
      const chip = make("button", { type: "button", "aria-pressed": "false" }, `${verdict} ${count.toLocaleString("en")}`);
      chip.addEventListener("click", () => {
        const on = !state.verdicts.delete(index);
        if (on) state.verdicts.add(index);
        chip.setAttribute("aria-pressed", String(on));
        state.shown = PAGE;
        draw();
      });
      byId("chips").append(chip);
    });
  };

  const keys = (event) => {
    const typing = event.target.matches("input");
    if (event.key === "/" && !typing) {
      event.preventDefault();
      byId("filter").focus();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && event.target.matches(".open")) {
      const all = [...document.querySelectorAll(".open")];
      const next = all[all.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)];
      if (next) { event.preventDefault(); next.focus(); }
    } else if (event.key === "Escape" && event.target === byId("filter")) {
      event.target.value = "";
      event.target.dispatchEvent(new Event("input"));
    }
  };

  theme();
  head();
  chips();
  draw();
  byId("filter").addEventListener("input", (event) => { state.text = event.target.value; state.shown = PAGE; draw(); });
  byId("more").addEventListener("click", () => { state.shown += PAGE; draw(); });
  document.addEventListener("keydown", keys);
  byId("cases").hidden = false;
  document.documentElement.dataset.ready = "true";
})();
