"""gunicorn's threaded worker, with threads that know how long a request waited for them."""

from concurrent.futures import ThreadPoolExecutor

from gunicorn.workers.gthread import ThreadWorker

from src.overload import TimedPool


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no type hints
    """What gunicorn.conf.py names."""

    def get_thread_pool(self) -> ThreadPoolExecutor:
        """Return the threads that work on requests."""
        return TimedPool(self.cfg.threads, "request")
