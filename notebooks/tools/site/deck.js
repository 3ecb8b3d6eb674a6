/* What a page itself can do: its list of sections opens where there is room, the course is searched, and slides are shown
   one at a time. Without JavaScript, on a telephone and on paper they stand below each other. */

const sections = document.querySelector(".sections");
if (sections) sections.open = matchMedia("(min-width: 70rem)").matches;

// --- search ----------------------------------------------------------------------------------------------------------

{
  const input = h("input", {type: "search", "aria-label": "Search the course", placeholder: "search"});
  const plain = text => text.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/-/g, " ");
  const list = h("ul", {"aria-label": "Found"}), told = h("p", {role: "status"}), MOST = 12;
  const find = async () => {
    const words = plain(input.value).split(/\s+/).filter(Boolean);
    const passages = words.length ? await load("search") : [], found = [];
    for (const [address, title, heading, text] of passages) {
      const head = plain(heading), all = plain(text);
      if (!words.every(word => all.includes(word))) continue;
      const at = Math.max(0, all.indexOf(words[0]) - 40);
      found.push({address, title, heading, score: words.filter(word => head.includes(word)).length, text: text.slice(at, at + 120)});
    }
    found.sort((a, b) => b.score - a.score);  // those with the words in their heading first
    list.replaceChildren(...found.slice(0, MOST).map(({address, title, heading, text}) => h("li", {},
      h("a", {href: address}, heading === title ? title : `${title}: ${heading}`), h("span", {}, `… ${text} …`))));
    const shown = found.length > MOST ? `${MOST} of ` : "";
    told.textContent = !words.length ? "" : found.length ? `${shown}${found.length} sections` : `nothing found for ${input.value}`;
  };
  const close = () => { list.replaceChildren(); told.textContent = ""; };
  const look = () => find().catch(error => { told.textContent = error.message; });
  input.addEventListener("input", look);
  input.addEventListener("focus", look);
  const box = h("div", {role: "search"}, input, told, list);
  box.addEventListener("keydown", ({key}) => {
    if (key === "Enter" && document.activeElement === input) list.querySelector("a")?.click();
    else if (key === "Escape") close();
  });
  list.addEventListener("click", close);
  document.addEventListener("pointerdown", ({target}) => { if (!box.contains(target)) close(); });
  document.querySelector("header")?.append(box);
}

// --- slides ----------------------------------------------------------------------------------------------------------

const slides = [...document.querySelectorAll(".slide")];
if (slides.length && matchMedia("(min-width: 40rem)").matches) {
  const speaking = location.search === "?notes", count = h("output", {}), back = button("back", () => go(-1)),
    forth = button("next", () => go(1)), notes = button("notes", () => {
      other = window.open(`${location.pathname}?notes${location.hash}`, "notes", "width=1000,height=900");
    });
  let other = speaking ? window.opener : null, at = 0;
  const waits = () => slides[at].querySelector(".asked") && !slides[at].classList.contains("answered");

  /** Formulas that are too wide become smaller: when they are shown, when the window changes, when their type has come. */
  function fit() {
    for (const formula of slides[at].querySelectorAll(".katex-display")) {
      formula.style.fontSize = "";
      if (formula.scrollWidth > formula.clientWidth + 1)
        formula.style.fontSize = `${parseFloat(getComputedStyle(formula).fontSize) * formula.clientWidth / formula.scrollWidth}px`;
    }
  }

  /** Show a slide, with its answer or not; the window with the notes, or the one it belongs to, follows. */
  function show(i, answered, tell = true) {
    at = Math.min(Math.max(i, 0), slides.length - 1);
    slides.forEach((slide, k) => { slide.hidden = k !== at; });
    slides[at].classList.toggle("answered", answered);
    fit();
    forth.textContent = waits() ? "answer" : "next";
    count.textContent = `${at + 1} / ${slides.length}`;
    history.replaceState(null, "", `#${at + 1}`);
    if (tell) other?.postMessage({at, answered}, "*");
  }

  function go(by) {
    if (by > 0 && waits()) show(at, true);
    else if (by < 0 && slides[at].matches(".answered:has(.asked)")) show(at, false);
    else if (slides[at + by]) show(at + by, by < 0);
  }

  const keys = {ArrowRight: 1, PageDown: 1, " ": 1, Enter: 1, ArrowLeft: -1, PageUp: -1};
  document.addEventListener("keydown", event => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input, select, a") || event.target.matches("button") && " Enter".includes(event.key)) return;
    if (event.key in keys) go(keys[event.key]);
    else if (event.key === "Home") show(0, false);
    else if (event.key === "End") show(slides.length - 1, true);
    else if (event.key === "s") notes.click();
    else return;
    event.preventDefault();
  });
  const asked = () => (Math.trunc(Number(location.hash.slice(1))) || 1) - 1;  // by the address
  addEventListener("hashchange", () => { if (asked() !== at) show(asked(), false); });
  addEventListener("resize", fit);
  document.fonts.addEventListener("loadingdone", fit);
  addEventListener("message", ({source, data}) => {
    if (typeof data?.at !== "number") return;
    other = source;  // the other window, also after this one was loaded anew
    show(data.at, data.answered, false);
  });
  document.documentElement.classList.add("deck");
  document.documentElement.classList.toggle("speaking", speaking);
  const lesson = h("a", {href: location.pathname.replace("_slides.html", ".html")}, "lesson");
  document.body.append(h("nav", {class: "bar", "aria-label": "Slides"}, back, forth, count, notes, lesson));
  show(asked(), false);
}
