"use strict";
// The filter of the requirements, and links that unfold what they lead to. Without script all of it is there, only unfiltered.
(() => {
  const form = document.getElementById("filter");
  const text = document.getElementById("filter-text");
  const told = document.getElementById("filter-count");
  const all = [...document.querySelectorAll(".requirement")];
  const profiles = [...document.querySelectorAll(".profile")];
  const words = new Map(); // what each says, read when it is first asked for

  const says = (one) => {
    if (!words.has(one)) words.set(one, one.textContent.toLowerCase());
    return words.get(one);
  };

  const filter = () => {
    const wanted = new Set([...form.querySelectorAll("[name=outcome]:checked")].map((box) => box.value));
    const parts = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const one of all) {
      one.hidden = !wanted.has(one.dataset.outcome) || !parts.every((part) => says(one).includes(part));
      if (!one.hidden) shown++;
    }
    for (const profile of profiles) profile.hidden = !profile.querySelector(".requirement:not([hidden])") && shown < all.length;
    told.textContent = shown === all.length ? `All ${shown} are shown.` : `${shown} of ${all.length} are shown.`;
  };

  const clear = () => {
    text.value = "";
    for (const box of form.querySelectorAll("[name=outcome]")) box.checked = true;
    filter();
  };

  const follow = () => {
    const to = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!to || to.tagName !== "DETAILS") return;
    if (to.closest("[hidden]")) clear();
    to.open = true;
    to.scrollIntoView();
  };

  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("unfold").addEventListener("click", () => {
    for (const one of all) if (!one.hidden) one.firstElementChild.open = true;
  });
  document.getElementById("fold").addEventListener("click", () => {
    for (const one of all) one.firstElementChild.open = false;
  });
  addEventListener("hashchange", follow);
  form.hidden = false;
  filter();
  follow();
})();
