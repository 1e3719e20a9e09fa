"""HTTP as every protocol here is served: routes over plain ASGI, a short way for simple posts, limits on the way in."""
