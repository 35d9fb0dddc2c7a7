"""``aerostat doctor``: whether ballooning works here, and in which VM, and what would make it work.

It reads and never changes anything, needs no daemon and no configuration. Facts are gathered first
(``vm_process``, ``vm_monitor``), judged by pure functions after that (``vm_verdict``,
``host_checks``), and put into words last.
"""
