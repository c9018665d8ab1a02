def check(nvrtc, architectures):
    return []
