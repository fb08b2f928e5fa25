"use strict";
(() => {
  const root = document.documentElement;
  const $ = (id) => document.getElementById(id);
  const cases = [...document.querySelectorAll("details.case")];
  const sections = [...document.querySelectorAll("main > section:not(.wrong)")];
  const buttons = [...document.querySelectorAll("[data-show]")];
  let show = "all";
  root.classList.add("has-js");

  // A page from disk may have no storage.
  const stored = (write) => { try { return write(localStorage); } catch { return null; } };
  const theme = stored((storage) => storage.getItem("tokenrig-theme"));
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  const turn = () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    stored((storage) => storage.setItem("tokenrig-theme", root.dataset.theme));
  };

  const sieve = () => {
    const words = $("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    let seen = 0;
    for (const one of cases) {
      const fits = (show === "all" || one.dataset.o === show) && words.every((word) => one.dataset.f.includes(word));
      one.hidden = !fits;
      if (fits) seen += 1;
    }
    for (const section of sections) section.hidden = !section.querySelector("details.case:not([hidden])");
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.show === show));
    $("none").hidden = seen > 0 || cases.length === 0;
    $("count").textContent = seen === cases.length ? "" : `${seen} of ${cases.length} shown`;
  };
  const only = (which) => { show = which; sieve(); };

  const openAll = () => {
    const visible = cases.filter((one) => !one.hidden);
    const open = visible.some((one) => !one.open);
    for (const one of visible) one.open = open;
    $("open").textContent = open ? "close all" : "open all";
  };
  const go = (by) => {
    const visible = cases.filter((one) => !one.hidden);
    if (visible.length === 0) return;
    const at = visible.findIndex((one) => one.contains(document.activeElement));
    const next = at < 0 ? (by > 0 ? 0 : visible.length - 1) : Math.min(Math.max(at + by, 0), visible.length - 1);
    visible[next].querySelector("summary").focus();
    visible[next].scrollIntoView({ block: "nearest" });
  };
  const help = () => {
    $("help").hidden = !$("help").hidden;
    $("keys").setAttribute("aria-expanded", String(!$("help").hidden));
  };
  const clear = () => { $("find").value = ""; sieve(); $("find").blur(); };

  $("theme").addEventListener("click", turn);
  $("find").addEventListener("input", sieve);
  $("open").addEventListener("click", openAll);
  $("keys").addEventListener("click", help);
  for (const button of buttons) button.addEventListener("click", () => only(button.dataset.show));

  const keys = {
    "/": () => $("find").focus(), j: () => go(1), k: () => go(-1), a: () => only("all"), f: () => only("failed"),
    s: () => only("skipped"), p: () => only("passed"), o: openAll, t: turn, "?": help,
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") return clear();
    if (event.target instanceof HTMLInputElement) return;
    const act = Object.hasOwn(keys, event.key) ? keys[event.key] : null;
    if (act) { event.preventDefault(); act(); }
  });

  // A link to a case opens it.
  const linked = () => {
    const one = /^#c\d+$/.test(location.hash) && document.querySelector(location.hash);
    if (one) { one.open = true; one.scrollIntoView(); }
  };
  addEventListener("hashchange", linked);
  linked();
  sieve();
})();
