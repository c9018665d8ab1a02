// A browser that can draw does not lay out what will be drawn.
if ("DecompressionStream" in window && "ResizeObserver" in window && "IntersectionObserver" in window) document.documentElement.classList.add("js");
