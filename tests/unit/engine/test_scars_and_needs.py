"""What a squeezed guest does because of the squeeze, and what it does because it needs more."""

from builders import Guest, World, params


def squeezed_world() -> World:
    """A donor that was taken below what it uses, some time ago, and did not complain."""
    world = World(
        guests=[
            Guest(name="donor", actual_mib=500, used_mib=460, swap_out_mib=1),
            Guest(name="short", actual_mib=400, used_mib=399, swap_out_mib=1),
        ],
        params=params(budget_mib=900),
    )
    donor, short = world.guest("donor"), world.guest("short")
    for _ in range(60):
        short.swap_out_mib += 20
        world.round()
        donor.used_mib = min(donor.used_mib, (donor.actual_mib or 0) - 15)
        if (donor.actual_mib or 0) < 460:
            break
    assert (donor.actual_mib or 0) < 460, "it was squeezed"
    return world


def test_a_squeezed_guest_whose_own_need_grows_is_released_though_it_reads_nothing_back() -> None:
    """Found by chaos seed 11085: what it pushed out for a new need passed for the old squeeze."""
    world = squeezed_world()
    donor = world.guest("donor")
    for _ in range(15):
        world.round()
    assert not world.trace("donor").is_distressed
    donor.used_mib = (donor.actual_mib or 0) - 2
    donor.swap_out_mib += 100
    world.round()
    assert world.trace("donor").is_distressed


def test_a_sample_that_is_read_in_full_only_later_is_still_the_old_sample() -> None:
    """Found by chaos seed 12088: with a clock set back, minutes-old figures passed for new ones."""
    world = World(guests=[Guest(name="vm", actual_mib=400, used_mib=100)], params=params())
    vm = world.guest("vm")
    world.rounds(3)
    vm.frozen_wall_s = 1_790_000_000.0 + world.now_s + 1000  # the clock was set back since
    world.round()
    vm.tells_available = False
    world.rounds(20)
    vm.tells_available = True
    world.round()
    age_s = world.trace("vm").figures_age_s
    assert age_s is not None
    assert age_s > 15.0
