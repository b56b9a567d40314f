"""`python -m unittest mine_simpy.tests`: what the comparison rests on, by hand on small mines."""

import unittest
from dataclasses import replace

from .compare import TONNES, compare
from .data import DataError, Edge, Node, Scenario, Server, Truck
from .model import DUMP, LOAD, TRAVEL, Shift, stream
from .network import plan, shortest
from .study import student_t_975


def small(**changes) -> Scenario:
    """One loader, one crusher, a single lane each way between them: 1 km at 30 km/h is 2 min; nothing varies."""
    scenario = Scenario(
        "small", "", (Node("A", "", "load_ore", 0, 0), Node("B", "", "crusher", 1, 0)),
        (Edge("R_OUT", "A", "B", 1000, 30, "haul", 1, False), Edge("R_BACK", "B", "A", 1000, 30, "haul", 1, False)),
        (Truck("T1", 100.0, 1.0, 0.5, "B"),), (Server("L", "A", 1, 5.0, 0.0),), Server("D", "B", 1, 3.0, 0.0),
        shift_min=60.0, replications=1, base_seed=1, travel_cv=0.0)
    return replace(scenario, **changes)


class Hand(unittest.TestCase):
    def test_one_truck_takes_the_sum_of_its_parts(self):
        # 2 min empty, 5 loading, 2 / 0.5 loaded, 3 dumping: 14 min; the fourth dump ends at 56 min.
        outcome = Shift(plan(small()), 0).run()
        self.assertEqual((outcome.tonnes, outcome.waited_min), (400.0, 0.0))
        for cycle in outcome.cycles:
            self.assertAlmostEqual(cycle, 14.0)

    def test_two_trucks_wait_for_the_lane_and_the_loader(self):
        second = Truck("T2", 100.0, 1.0, 0.5, "B")
        outcome = Shift(plan(small(trucks=(*small().trucks, second))), 0).run()
        rows = [row.split(",") for row in outcome.log]
        started = [(float(row[0]), row[3]) for row in rows if row[4] == "loading_started"]
        # T2 enters the lane when T1 leaves it at 2 min, arrives at 4 min, and T1 is being loaded until 7 min.
        self.assertEqual(started[:2], [(2.0, "T1"), (7.0, "T2")])
        self.assertEqual([row[3] for row in rows if row[4] == "road_queued"][0], "T2")

    def test_dispatch_counts_what_is_left_of_a_loading_or_the_whole_of_it(self):
        # L is 2 min away and has been loading for 4.5 of 5 min; M is 3 min away and idle.
        far = Server("M", "C", 1, 5.0, 0.0)
        roads = (*small().edges, Edge("S_OUT", "C", "B", 1500, 30, "haul", 1, False),
                 Edge("S_BACK", "B", "C", 1500, 30, "haul", 1, False))
        for whole, expected in [(False, "L"), (True, "M")]:
            shift = Shift(plan(small(edges=roads, loaders=(*small().loaders, far)), count_whole=whole), 0)
            loader = shift.loaders[0]
            loader.committed, loader.begun = 1, [-4.5]
            # Until its own loading begins: 2 + 0.5 against 3 min, or 2 + 5 against 3 min.
            self.assertEqual(shift.dispatch(shift.plan.scenario.trucks[0], "B").id, expected)

    def test_a_load_that_is_not_dumped_at_the_end_does_not_count(self):
        self.assertEqual(Shift(plan(small(shift_min=13.9)), 0).run().tonnes, 0.0)

    def test_another_truck_moves_no_draw_of_the_first(self):
        def first_drive(trucks):
            shift = Shift(plan(small(trucks=trucks, travel_cv=0.1)), 0)
            return [row.split(",")[0] for row in shift.run().log if ",T1," in row][2]

        alone = small().trucks
        self.assertEqual(first_drive(alone), first_drive((*alone, Truck("T2", 100.0, 1.0, 0.5, "B"))))

    def test_trucks_and_purposes_draw_different_numbers(self):
        names = [(truck, purpose) for truck in range(12) for purpose in (TRAVEL, LOAD, DUMP)]
        self.assertEqual(len({stream(1, *name).random() for name in names}), 36)

    def test_no_route_is_said_with_what_is_closed(self):
        closed = tuple(replace(edge, closed=edge.id == "R_OUT") for edge in small().edges)
        with self.assertRaisesRegex(DataError, "small: no open route from A to B; closed: .'R_OUT'."):
            shortest(small(edges=closed), "A", "B", False)

    def test_the_quantile_is_that_of_the_tables(self):
        for freedom, expected in [(1, 12.7062), (2, 4.3027), (9, 2.2622), (29, 2.0452), (120, 1.9799)]:
            self.assertAlmostEqual(student_t_975(freedom), expected, 4)

    def test_a_comparison_notices_a_shift_of_the_mean_and_nothing_else(self):
        def study(offset):
            return {"s": [{"scenario_id": "s", TONNES: str(1000 + offset + i % 7)} for i in range(30)]}

        self.assertGreater(compare(study(0), study(0))[0]["p"], 0.9)
        self.assertLess(compare(study(0), study(3))[0]["p"], 0.05)


if __name__ == "__main__":
    unittest.main()
