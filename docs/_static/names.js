// Controls of the theme that a screen reader could not name, or would name otherwise than the eye.
document.addEventListener("DOMContentLoaded", () => {
  for (const toggle of document.querySelectorAll("summary > .toctree-toggle")) {
    const link = toggle.closest("li").querySelector("a");
    toggle.parentElement.setAttribute("aria-label", `Pages of ${link.textContent.trim()}`);
  }
  const shown = 'summary[aria-label="Toggle hidden content"], .search-button-field[aria-label]';
  for (const control of document.querySelectorAll(shown)) {
    control.removeAttribute("aria-label"); // its text is its name
  }
});
