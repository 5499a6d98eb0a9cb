// Before anything is painted: the theme that the reader chose here before. The button is in theme_button.js.
{
  const chosen = localStorage.getItem("aside-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
}
