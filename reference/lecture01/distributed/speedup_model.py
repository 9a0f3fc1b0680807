"""How long a step takes with n nodes, and what more nodes bring: a model of time as computation plus communication.

Problem     n nodes, each with a batch of B samples: how many samples a second, and how much of the ideal n-fold speed?
Algorithm   seconds a step = t_compute + t_communicate
            t_communicate, with t_message the seconds of one message of d numbers:
                server              n t_message
                ring all-reduce     2 (n-1)/n t_message
                neighbours          (d_max - 1) t_message,  d_max = max_i |N_i|, node i itself counted
            times 1/tau for communication every tau steps, and times c for messages of c times the bits.
            throughput = n B / seconds a step
            speedup = time before / time after;  efficiency = speedup / (nodes after / nodes before)
References  Lecture 1, part 4, slides 7 and 15: bar charts of images a second on 4 to 128 GPUs, PSGD below the ideal and
            DSGD above PSGD. The slides give orders, O(n) for a server and O(d_max) for neighbours; the model is an
            exercise that has them (derived), the ring's cost is standard literature. Lecture 13-1, slide 12: training
            times of PSGD on ImageNet.
Catalogue   speedup_model
Witness     times on slide 12 of Lecture 13-1

The messages to and from a node are taken to go one after the other, and not at the same time as computation.
"""

from __future__ import annotations

from reference.variants import equivalent, mistake


def server_time(message_time: float, num_nodes: int) -> float:
    """n t: the server gets one vector from each node."""
    return num_nodes * message_time


def ring_time(message_time: float, num_nodes: int) -> float:
    """2 (n-1)/n t, below 2 t for every n."""
    return 2 * (num_nodes - 1) / num_nodes * message_time


def neighbors_time(message_time: float, largest_neighborhood: int) -> float:
    """(d_max - 1) t, however many nodes there are; d_max counts the node itself, which needs no message."""
    return (largest_neighborhood - 1) * message_time


def step_time(compute_time: float, communication_time: float, period: int = 1, compression: float = 1.0) -> float:
    """Seconds a step, on average.

    Args:
        compute_time: seconds for the gradient of one node; all nodes work at the same time.
        communication_time: seconds for one communication, uncompressed; see the functions above.
        period: tau, steps from one communication to the next.
        compression: bits of a compressed message divided by those of the message as it is.
    """
    return compute_time + compression * communication_time / period


def throughput(batch_size: int, num_nodes: int, seconds: float) -> float:
    """Samples a second: n B / seconds a step."""
    return num_nodes * batch_size / seconds


def speedup(time_before: float, time_after: float) -> float:
    """How many times faster the same work is done."""
    return time_before / time_after


def efficiency(time_before: float, time_after: float, nodes_before: int, nodes_after: int) -> float:
    """Speedup as a fraction of the ideal, nodes_after / nodes_before."""
    return speedup(time_before, time_after) * nodes_before / nodes_after


@equivalent(efficiency, "Node seconds before, divided by node seconds after.")
def node_seconds(time_before: float, time_after: float, nodes_before: int, nodes_after: int) -> float:
    """The work that is paid for."""
    return (nodes_before * time_before) / (nodes_after * time_after)


@mistake(throughput, "Your number does not grow with the number of nodes. How many batches are done in one step?")
def one_batch_a_step(batch_size: int, num_nodes: int, seconds: float) -> float:
    """B / seconds. Invisible for one node."""
    return batch_size / seconds


@mistake(efficiency, "Your number is above one where the nodes are used badly. Divide by what would be ideal.")
def speedup_alone(time_before: float, time_after: float, nodes_before: int, nodes_after: int) -> float:
    """The speedup. Invisible where the number of nodes stays."""
    return time_before / time_after


@mistake(step_time, "Your computation gets cheaper with the period. What happens less often, and what at each step?")
def everything_by_period(
    compute_time: float, communication_time: float, period: int = 1, compression: float = 1.0
) -> float:
    """(t_compute + c t_communicate) / tau. Invisible for tau = 1."""
    return (compute_time + compression * communication_time) / period
