// What the forms share: fields that belong to a choice, lists in a field, the question before something is thrown away.

import {byId} from "./dom.js";

export const listOf = (text) => text.split(/[\s,]+/).filter(Boolean);

/** Show those fields only that belong to what is chosen in `what`. */
export function keepFields(form) {
  const show = () => {
    for (const label of form.querySelectorAll("[data-for]")) {
      const isWanted = label.dataset.for.split(" ").includes(form.elements.what.value);
      label.hidden = !isWanted;
      label.querySelector("input").disabled = !isWanted;
    }
  };
  form.elements.what.addEventListener("change", show);
  show();
}

/** Ask; true if the answer is yes. `parts` are what stands between the title and the buttons. */
export function confirmed(title, yes, ...parts) {
  const dialog = byId("confirm");
  byId("confirm-title").textContent = title;
  byId("confirm-text").replaceChildren(...parts);
  byId("confirm-yes").textContent = yes;
  dialog.returnValue = "no"; // Escape leaves it as it is
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), {once: true}));
}
