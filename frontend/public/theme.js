// The theme a person chose is set before anything is painted; without a choice the device decides.
try {
  const chosen = localStorage.getItem("wattstead.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage may be forbidden; then the device decides.
}
