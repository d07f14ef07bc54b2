// Code and tables that are wider than the page can be scrolled with the keyboard.
window.addEventListener("load", () => {
  for (const region of document.querySelectorAll(".md-typeset pre > code, .md-typeset__scrollwrap")) {
    region.tabIndex = 0
  }
})
