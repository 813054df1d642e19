// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asks the Raspberry Pi's firmware to start the other slot once: reboot "0 tryboot", the words that Raspberry Pi's own
 * kernel takes for it. Mainline's firmware driver speaks to the firmware but does not know this question, so it is asked
 * here, through that driver.
 *
 * The firmware forgets the flag with the start that it was set for. If it is not set, for whatever reason, the next start
 * is the committed slot's; so every failure here is reported and changes nothing else.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bits.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/of.h>
#include <linux/reboot.h>
#include <linux/string.h>
#include <soc/bcm2835/raspberrypi-firmware.h>

/* One 32-bit word of flags goes to the firmware; mainline's list of properties lacks it. */
#define PROPERTY_SET_REBOOT_FLAGS 0x00038064
#define REBOOT_FLAG_TRYBOOT BIT(0)

static struct rpi_firmware *firmware; /* held from load to unload, so that it cannot go before a restart */

/* Restarting calls the notifiers first; then the firmware driver's own shutdown tells the firmware that a restart comes. */
static int before_restart(struct notifier_block *block, unsigned long action, void *command)
{
	u32 flags = REBOOT_FLAG_TRYBOOT;
	int err;

	if (action != SYS_RESTART || !command || strcmp(command, "0 tryboot"))
		return NOTIFY_DONE;
	err = rpi_firmware_property(firmware, PROPERTY_SET_REBOOT_FLAGS, &flags, sizeof(flags));
	if (err)
		pr_err("the firmware does not take the flag (%d); the committed slot starts\n", err);
	else
		pr_info("the next start is on trial\n");
	return NOTIFY_DONE;
}

static struct notifier_block notifier = { .notifier_call = before_restart };

/* udev loads the module where the device tree names that firmware, and nowhere else. */
static const struct of_device_id names[] = { { .compatible = "raspberrypi,bcm2835-firmware" }, {} };
MODULE_DEVICE_TABLE(of, names);

static int __init tryboot_init(void)
{
	struct device_node *node = of_find_matching_node(NULL, names);
	int err;

	if (!node)
		return -ENODEV; /* no Raspberry Pi */
	firmware = rpi_firmware_get(node);
	of_node_put(node);
	if (!firmware)
		return -ENODEV; /* its driver is part of Debian's kernel, and was there before any module */
	err = register_reboot_notifier(&notifier);
	if (err)
		rpi_firmware_put(firmware);
	return err;
}

static void __exit tryboot_exit(void)
{
	unregister_reboot_notifier(&notifier);
	rpi_firmware_put(firmware);
}

module_init(tryboot_init);
module_exit(tryboot_exit);
MODULE_DESCRIPTION("One start on trial, by the Raspberry Pi's firmware");
MODULE_LICENSE("GPL");
