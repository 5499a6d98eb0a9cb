// The theme: as the system has it, or light, or dark, as the reader says; kept in the browser.

const THEMES = ["auto", "light", "dark"];

/** Wire the button; `changed` is called whenever the colours are other ones. */
export function keepTheme(button, changed) {
  const root = document.documentElement;
  const show = () => { button.textContent = `Theme: ${root.dataset.theme ?? "auto"}`; };
  button.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(root.dataset.theme ?? "auto") + 1) % THEMES.length];
    if (next === "auto") {
      delete root.dataset.theme;
      localStorage.removeItem("aside-theme");
    } else {
      root.dataset.theme = next;
      localStorage.setItem("aside-theme", next);
    }
    show();
    changed();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  show();
}

/** What a variable of the style sheets stands for in the present theme, as a colour that a canvas understands. */
export function colour(variable) {
  const probe = document.createElement("span");
  probe.style.color = `var(${variable})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}
