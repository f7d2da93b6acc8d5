// Light or dark: the system's choice, until the person presses the button. Runs before the page is painted.
"use strict";

(() => {
  const system = matchMedia("(prefers-color-scheme: light)");
  const kept = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const keep = (theme) => { try { localStorage.setItem("theme", theme); } catch { /* private window: not kept */ } };

  function apply() {
    const theme = kept() ?? (system.matches ? "light" : "dark");
    document.documentElement.dataset.theme = theme;
    const button = document.getElementById("theme");
    if (button) button.setAttribute("aria-label", `Use the ${theme === "dark" ? "light" : "dark"} theme`);
    dispatchEvent(new Event("themechange"));
  }

  apply();
  system.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    button.hidden = false;
    button.addEventListener("click", () => {
      const other = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
      document.documentElement.dataset.theme = other;
      keep(other);
      button.setAttribute("aria-label", `Use the ${other === "dark" ? "light" : "dark"} theme`);
      dispatchEvent(new Event("themechange"));
    });
    apply();
  });
})();
