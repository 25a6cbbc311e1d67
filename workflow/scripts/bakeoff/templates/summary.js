"use strict";

// Tables: sort by any column, filter by words, download.
for (const box of document.querySelectorAll(".table")) {
  const body = box.querySelector("tbody");
  const rows = [...body.rows];
  const heads = [...box.querySelectorAll("thead th")];
  const status = box.querySelector(".count");
  const words = rows.map((row) => row.textContent.toLowerCase());
  const order = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  const compare = (column, numeric) => (one, two) => {
    const [a, b] = [one.cells[column], two.cells[column]];
    if (!numeric) return order.compare(a.textContent, b.textContent);
    // Cells without a number come last, whichever way the column is sorted.
    return Number(a.dataset.value) - Number(b.dataset.value);
  };

  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const numeric = head.classList.contains("number");
      const before = head.getAttribute("aria-sort");
      const first = numeric ? "descending" : "ascending";
      const second = numeric ? "ascending" : "descending";
      const now = before === first ? second : first;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", now);
      const sign = now === "ascending" ? 1 : -1;
      const empty = (row) => numeric && row.cells[column].dataset.value === "";
      const by = compare(column, numeric);
      const sorted = [...rows].sort(
        (a, b) => empty(a) - empty(b) || sign * by(a, b),
      );
      body.append(...sorted);
    });
  });

  box.querySelector("input").addEventListener("input", (event) => {
    const wanted = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, i) => {
      row.hidden = !wanted.every((word) => words[i].includes(word));
      shown += !row.hidden;
    });
    status.textContent =
      shown === rows.length ? `${shown} rows` : `${shown} of ${rows.length} rows`;
  });

  box.querySelector(".download").addEventListener("click", () => {
    const text = box.querySelector("template.csv").content.textContent;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = `${box.dataset.name}.csv`;
    link.click();
    URL.revokeObjectURL(link.href);
  });
}

// Whatever is wider than the screen says so. Parts that were not yet drawn are measured
// when they are.
{
  const hint = (box) => {
    box.nextElementSibling.hidden = box.scrollWidth <= box.clientWidth + 1;
  };
  // In the next frame, since a hint moves what is observed.
  const measure = new ResizeObserver((entries) =>
    requestAnimationFrame(() => entries.forEach(({ target }) => hint(target))),
  );
  for (const box of document.querySelectorAll(".scroll, .drawing")) {
    const words = document.createElement("p");
    words.className = "hint";
    words.textContent = "Scroll sideways for the rest →";
    words.hidden = true;
    box.after(words);
    measure.observe(box);
  }
}

// Theme: follows the system until the reader chooses.
{
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
  const say = () => button.setAttribute("aria-pressed", String(dark()));
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    say();
  });
  system.addEventListener("change", say);
  say();
}

// Gallery: cards are made as they are shown, so that 10,000 images stay light.
const source = document.getElementById("gallery-data");
if (source) {
  const data = JSON.parse(source.textContent);
  source.textContent = "";
  const STEP = 48;
  const cards = document.getElementById("cards");
  const more = document.getElementById("more");
  const count = document.getElementById("gallery-count");
  const pick = Object.fromEntries(
    ["encoder", "rival", "outcome", "truth", "called"].map((name) => [
      name,
      document.getElementById(`pick-${name}`),
    ]),
  );
  let found = [];
  let shown = 0;

  const options = (select, names, all) => {
    if (all) select.append(new Option(all, "-1"));
    names.forEach((name, i) => select.append(new Option(name, i)));
  };
  options(pick.encoder, data.encoders);
  pick.encoder.value = Math.max(0, data.encoders.indexOf(pick.encoder.dataset.first));
  options(pick.rival, data.encoders, "all others");
  options(pick.truth, data.classes, "all classes");
  options(pick.called, data.classes, "all classes");

  const right = (i, e) => data.called[i][e] === data.truth[i];
  // What an encoder e is compared with: one other, or all of them.
  const rivals = (e) => {
    const rival = Number(pick.rival.value);
    const all = rival < 0 ? data.encoders.keys() : [rival];
    return [...all].filter((other) => other !== e);
  };
  const same = (i, e, o) => data.called[i][o] === data.called[i][e];
  const outcomes = {
    any: () => true,
    right: (i, e) => right(i, e),
    wrong: (i, e) => !right(i, e),
    only: (i, e, others) => right(i, e) && !others.some((o) => right(i, o)),
    none: (i, e, others) => ![e, ...others].some((o) => right(i, o)),
    differ: (i, e, others) => !others.every((o) => same(i, e, o)),
    disputed: (i, e, others) => !right(i, e) && others.every((o) => same(i, e, o)),
  };

  const add = (parent, tag, text, style) => {
    const made = document.createElement(tag);
    made.textContent = text;
    if (style) made.className = style;
    parent.append(made);
    return made;
  };

  const opinion = (card, i, e) => {
    const ok = right(i, e);
    const name = data.classes[data.called[i][e]];
    const sure = data.sure ? ` ${data.sure[i][e]} %` : "";
    const line = add(card, "p", `${ok ? "✓" : "✗"} ${name}${sure}`, ok ? "is-right" : "is-wrong");
    add(line, "span", ok ? " right" : " wrong", "hidden");
    add(card, "p", data.encoders[e], "others");
  };

  const show = () => {
    const e = Number(pick.encoder.value);
    for (const i of found.slice(shown, shown + STEP)) {
      const card = document.createElement("li");
      const image = document.createElement("img");
      image.src = `data:image/webp;base64,${data.thumbnails[i]}`;
      image.alt = `Image of class ${data.classes[data.truth[i]]}`;
      card.append(image);
      add(card, "p", data.classes[data.truth[i]], "truth");
      opinion(card, i, e);
      const others = rivals(e);
      if (others.length <= 2) others.forEach((o) => opinion(card, i, o));
      else {
        const agree = [e, ...others].filter((o) => right(i, o)).length;
        add(card, "p", `${agree} of ${data.encoders.length} encoders right`, "others");
      }
      add(card, "p", data.paths[i], "path");
      cards.append(card);
    }
    shown = Math.min(found.length, shown + STEP);
    more.hidden = shown >= found.length;
    count.textContent = found.length
      ? `${found.length} of ${data.truth.length} images, ${shown} shown`
      : `none of ${data.truth.length} images`;
  };

  const filter = () => {
    const [e, truth, called] = ["encoder", "truth", "called"].map((n) => Number(pick[n].value));
    const wanted = outcomes[pick.outcome.value];
    const others = rivals(e);
    found = [];
    for (let i = 0; i < data.truth.length; i++) {
      if (truth >= 0 && data.truth[i] !== truth) continue;
      if (called >= 0 && data.called[i][e] !== called) continue;
      if (wanted(i, e, others)) found.push(i);
    }
    if (data.sure) {
      const error = (i) => (right(i, e) ? -1 : data.sure[i][e]);
      found.sort((a, b) => error(b) - error(a) || a - b);
    }
    cards.replaceChildren();
    shown = 0;
    show();
  };

  Object.values(pick).forEach((select) => select.addEventListener("change", filter));
  more.addEventListener("click", show);
  filter();
}
