// A browser that can draw does not lay out what will be drawn; one that cannot gets a sentence. All browsers can read this.
document.documentElement.className = "DecompressionStream" in window && "ResizeObserver" in window && "IntersectionObserver" in window && String.prototype.replaceAll ? "js" : "old";
